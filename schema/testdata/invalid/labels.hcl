role { # ERROR: Missing label
  capabilities = ["chat"]
}

role "a" "b" { # ERROR: More than one label
}

role "" { # ERROR: Empty label
}

migration "x" { # ERROR: Label not allowed
  wave { # ERROR: Missing label
  }
}

role "a\u202Eb" { # ERROR: Invalid label
}
