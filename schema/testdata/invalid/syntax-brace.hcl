role "a" { # ERROR: Unclosed configuration block
  capabilities = ["chat"]
