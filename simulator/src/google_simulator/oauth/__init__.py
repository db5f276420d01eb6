"""Who may: authorization pages, codes, tokens, revocation, identity (facts 1)."""
