"""What a child's lesions come to: targets, change, response, fates, disease, entry (`subject` is the order)."""
