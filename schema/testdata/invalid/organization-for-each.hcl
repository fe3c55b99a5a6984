organization "acme" {
  for_each = toset(["a"]) # ERROR: for_each not allowed
  system   = "test"
}
