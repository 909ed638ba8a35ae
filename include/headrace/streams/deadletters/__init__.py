"""Dead letters for people: what the gate refused can be found, mended, sent again or put aside, each at most once."""
