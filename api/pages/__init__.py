"""The pages that people read: the start page and the reference. Open without a key, for they say nothing about anybody."""
