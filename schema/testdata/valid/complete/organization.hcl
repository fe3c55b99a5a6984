organization "acme" {
  system                = "test"
  id                    = "12345678-1234-5678-1234-567812345678"
  provisioning          = "invite"
  connector_permissions = local.on
  seats                 = 0.30000000000000000001

  api {
    endpoint    = "https://api.example.com"
    key_command = ["pass", "show", "key"]
    key_env     = null # counts as left out
  }

  unmanaged {
    roles = "report"
  }

  spend_limit {
    monthly = "100.00"
  }
}

variable "endpoint" {
  type        = string
  description = "Not used."
  default     = "x"
}

locals {
  on = "on"
}
