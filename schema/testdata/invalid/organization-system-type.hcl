organization "acme" {
  system = ["test"] # ERROR: Wrong type of value
}
