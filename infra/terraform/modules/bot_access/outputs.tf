output "policy_json" {
  description = "The policy that lets this bot write its own streams and nothing else."
  value       = local.policy
}
