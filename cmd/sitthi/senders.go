package main

import (
	"context"
	"errors"
	"log/slog"

	"sitthi/internal/config"
	"sitthi/notify"
)

// senders are the ways out for messages, as the settings say.
func senders(c *config.Serve, secrets config.Secrets, log *slog.Logger) (map[notify.Channel]notify.Sender, error) {
	if c.Demo {
		return map[notify.Channel]notify.Sender{notify.Email: notify.Nowhere{}, notify.SMS: notify.Nowhere{}}, nil
	}
	mail, err := mailSender(c, secrets)
	if err != nil {
		return nil, err
	}
	sms, err := smsSender(c, secrets)
	if err != nil {
		return nil, err
	}
	if mail == nil {
		log.Warn("no mail server is set: mail is kept, and given up after two days", "flag", "--smtp-host")
		mail = unset{"no mail server is set"}
	}
	if sms == nil {
		log.Warn("no way for SMS is set: SMS is kept, and given up after two days", "flag", "--sms")
		sms = unset{"no way for SMS is set"}
	}
	ways := map[notify.Channel]notify.Sender{notify.Email: mail, notify.SMS: sms}
	if !c.Line {
		return ways, nil
	}
	token, err := secrets.Read("line-token-file", c.LineTokenFile)
	if err != nil {
		return nil, err
	}
	line, err := notify.NewLine(notify.LineOptions{URL: c.LineURL, Token: token, Private: c.LinePrivate})
	if err != nil {
		return nil, config.Wrong("line", "%w", err)
	}
	ways[notify.LINE] = line
	return ways, nil
}

// lineSecret reads what webhooks of LINE are signed with; "" when LINE is off.
func lineSecret(c *config.Serve, secrets config.Secrets) (string, error) {
	if !c.Line || c.Demo {
		return "", nil
	}
	secret, err := secrets.Read("line-secret-file", c.LineSecretFile)
	if err == nil && secret == "" {
		err = config.Wrong("line-secret-file", "is needed with --line")
	}
	return secret, err
}

// unset keeps messages waiting until there is a way for them.
type unset struct{ why string }

// Send implements notify.Sender.
func (u unset) Send(context.Context, notify.Parcel) error { return errors.New(u.why) }

func mailSender(c *config.Serve, secrets config.Secrets) (notify.Sender, error) {
	if c.MailFile != "" {
		file, err := notify.NewFile(c.MailFile)
		if err != nil {
			return nil, config.Wrong("mail-file", "%w", err)
		}
		return file, nil
	}
	if c.SMTPHost == "" {
		return nil, nil
	}
	password, err := secrets.Read("smtp-password-file", c.SMTPPasswordFile)
	if err != nil {
		return nil, err
	}
	smtp, err := notify.NewSMTP(notify.SMTPOptions{
		Host: c.SMTPHost, Port: c.SMTPPort, Mode: notify.TLSMode(c.SMTPTLS),
		Username: c.SMTPUser, Password: password, From: c.SMTPFrom,
	})
	if err != nil {
		return nil, config.Wrong("smtp-host", "%w", err)
	}
	return smtp, nil
}

func smsSender(c *config.Serve, secrets config.Secrets) (notify.Sender, error) {
	switch c.SMS {
	case "file":
		file, err := notify.NewFile(c.SMSFile)
		if err != nil {
			return nil, config.Wrong("sms-file", "%w", err)
		}
		return file, nil
	case "http":
		header := map[string]string{"Content-Type": c.SMSContentType}
		name, value, err := c.SMSHeader(secrets)
		if err != nil {
			return nil, err
		}
		if name != "" {
			header[name] = value
		}
		gateway, err := notify.NewGateway(notify.GatewayOptions{
			Method: c.SMSMethod, URL: c.SMSURL, Header: header, Body: c.SMSBody, Private: c.SMSPrivate,
		})
		if err != nil {
			return nil, config.Wrong("sms-url", "%w", err)
		}
		return gateway, nil
	}
	return nil, nil
}
