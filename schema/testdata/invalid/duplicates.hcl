role "a" {
}

role "a" { # ERROR: Duplicate block
  connector "jira" {
  }
  connector "jira" { # ERROR: Duplicate block
  }
}

group "g" {
  spend_limit {
    monthly = 1
  }
  spend_limit { # ERROR: Duplicate block
    monthly = 2
  }
}

migration {
}

migration { # ERROR: Duplicate block
}

guard {
}

guard { # ERROR: Duplicate block
}

rule "x" {
}

rule "x" { # ERROR: Duplicate block
}

locals {
  a = 1
}

locals {
  a = 2 # ERROR: Duplicate block
}

variable "v" {
  default = 1
}

variable "v" { # ERROR: Duplicate block
  default = 2
}
