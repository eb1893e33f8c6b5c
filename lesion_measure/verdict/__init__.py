"""What a child's lesions come to: targets, change, response, fates, disease, entry criteria (`judge` is the order)."""
