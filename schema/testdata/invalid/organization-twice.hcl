organization "acme" {
  system = "test"
}

organization "other" { # ERROR: Duplicate block
  system = "other"
}
