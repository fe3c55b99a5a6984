organization "acme" {
  system = "test"
}

locals {
  levels = { jira = "needs_approval", slack = "always_allow" }
  teams = {
    web     = { limits = ["100.00"], waves = {} }
    backend = { limits = [], waves = {} }
  }
}

connector "jira" {
  id    = "mcpsrv_01"
  tools = ["search_issues", "create_issue"]
}

role "standard" {
  dynamic "connector" {
    for_each = local.levels
    labels   = [connector.key]
    content {
      access = connector.value
    }
  }
  connector "github" {
    access = "blocked"
  }
}

role "careful" {
  dynamic "connector" {
    for_each = ["jira"]
    iterator = it
    labels   = [it.value]
    content {
      tools = { for t in connector.jira.tools : t => "needs_approval" }
    }
  }
}

group "team" {
  for_each = local.teams
  dynamic "spend_limit" {
    for_each = each.value.limits
    content {
      monthly = spend_limit.value
    }
  }
}

migration {
  dynamic "wave" {
    for_each = toset(keys(group.team))
    iterator = w
    labels   = ["wave-${w.key}"]
    content {
      groups = [group.team[w.key]]
    }
  }
}
