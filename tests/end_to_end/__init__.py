"""What a person does with the product, from the address field to the finished post, in a real browser."""
