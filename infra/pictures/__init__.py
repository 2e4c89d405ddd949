"""The pictures of the documents, made from the project itself: `make pictures`."""
