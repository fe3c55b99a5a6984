# One base role for everybody at Acme, and small roles that add to it. Roles add
# up: the most permissive one wins, and no role can take away what another gives.

role "standard" {
  name         = "Standard"
  description  = "What everybody at Acme has."
  capabilities = ["chat", "web_search", "memory", "code_execution", "public_projects"]

  # Every connector, also one that is added tomorrow: Claude may use it, and
  # asks before each call.
  connector_default = "needs_approval"
}

# The additive roles say "custom", which gives nothing by itself. A new role made
# by hand starts with every connector on "needs approval".

role "cowork" {
  name              = "Cowork"
  description       = "Adds Claude Cowork."
  capabilities      = ["cowork"]
  connector_default = "custom"
}

role "claude_code" {
  name              = "Claude Code"
  description       = "Adds Claude Code, and reading on GitHub without being asked."
  capabilities      = ["claude_code"]
  connector_default = "custom"

  # Tools that are not named get nothing from here. Opening and merging a pull
  # request still asks first, by way of the standard role.
  connector "github" {
    tools = {
      search_code = "always_allow"
      read_file   = "always_allow"
    }
  }
}

role "jira_power" {
  name              = "Jira power user"
  description       = "Adds searching and creating issues without being asked."
  capabilities      = []
  connector_default = "custom"

  connector "jira" {
    tools = {
      search_issues = "always_allow"
      create_issue  = "always_allow"
    }
  }
}

# Not an addition to the standard role but an alternative to it: narrower, and
# therefore for people who do not have the standard role as well.
role "contractor" {
  name         = "Contractor"
  description  = "For people of our agencies. No memory, no projects, two connectors."
  capabilities = ["chat", "web_search"]

  # No connector without a row of its own, today and tomorrow.
  connector_default = "custom"

  connector "jira" {
    tools = { search_issues = "needs_approval" }
  }

  connector "slack" {
    access = "needs_approval"
  }
}
