package proof

func blocklist() (map[string]struct{}, error) { return nil, nil }
