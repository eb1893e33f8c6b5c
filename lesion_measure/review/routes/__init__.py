"""One module a part of the interface; `review.app` puts them together."""
