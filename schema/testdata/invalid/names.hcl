# Names of blocks, attributes and nested blocks.
rle "a" { # ERROR: Unknown block
  capabilities = ["chat"]
}

vendor "jira" { # ERROR: Block of another system
  tools = []
}

role "b" {
  capabilties = ["chat"] # ERROR: Unknown attribute
  for_eech    = [] # ERROR: Unknown attribute
  connecter "jira" { # ERROR: Unknown block
  }
  connector = "jira" # ERROR: Block written as attribute
  connector "jira" {
    acces = "blocked" # ERROR: Unknown attribute
    for_each = toset(["a"]) # ERROR: for_each not allowed
  }
}

group "c" {
  members { # ERROR: Attribute written as block
  }
}

locals = 1 # ERROR: Block written as attribute
stray  = 2 # ERROR: Attribute outside of a block
