"""Still images of a picture: a poster, thumbnails, and sheets of small ones."""
