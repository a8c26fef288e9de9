// Package proof checks what people prove themselves with, passwords and one-time codes, and limits how often they try.
package proof
