"""What requests and answers look like (pydantic); no behaviour."""
