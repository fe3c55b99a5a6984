connector "jira" {
  id          = "mcpsrv_01AbC"
  tools       = ["search_issues", "create_issue", "delete_issue"]
  policy      = "always_allow"
  tool_policy = { delete_issue = "blocked" }
}

feature "memory" {
  enabled = true
  action  = "saffron"
  setting = ""
}

role "standard" {
  name              = "Standard Access"
  previous_names    = ["Base"]
  description       = "Tools: ${join(", ", connector.jira.tools)}."
  capabilities      = ["chat", "web_search"]
  admin_permissions = { billing = "view" }
  connector_default = "needs_approval"

  connector "slack" {
    access = "always_allow"
  }
  connector "jira" {
    tools = { for t in connector.jira.tools : t => "needs_approval" if t != "delete_issue" }
  }
}

role "cowork" {
  capabilities = concat(role.standard.capabilities, ["cowork"])
}

group "pilot" {
  roles   = [role.standard, role.cowork]
  members = ["jane@acme.com", "Raj@Acme.com"]
  owners  = ["lead@acme.com"]
  spend_limit {
    monthly = 200.50
    enforce = "console"
  }
}

group "all" {
  name    = "${!can(group.pilot.name) ? "All" : "Everybody"} of ${feature.memory.action}"
  roles   = group.pilot.roles
  members = everyone
  parent  = group.pilot
}

group "idp" {
  source = "scim"
  roles  = [feature.memory.enabled ? role.standard : role.cowork]
}

member "jane@acme.com" {
  previous_emails = ["jane@old-acme.com"]
}

member "old@acme.com" {
  remove = true
}

migration {
  wave "pilot" {
    groups = [group.pilot, group.idp]
  }
  wave "everyone" {
    members = everyone
    except  = ["auditor@acme.com"]
    state   = "closed"
  }
}

guard {
  max_members_losing_access = "3%"
  max_removals              = 10
  max_group_shrink          = 7
  protected                 = union(["ceo@acme.com"], organization_role("owner"))
  frozen                    = true
}

rule "cross-role-conflict" {
  severity = "warning"
  ignore   = [connector.jira, member["jane@acme.com"]]
}

rule "empty" {
}
