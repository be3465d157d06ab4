module "audit_pipeline" {
  source = "./modules/audit_pipeline"

  name_prefix              = var.name_prefix
  log_group_name           = var.log_group_name
  retention_days           = var.retention_days
  protect_log_group        = var.protect_log_group
  filter_pattern           = var.filter_pattern
  create_kms_key           = var.create_kms_key
  kms_key_arn              = var.kms_key_arn
  splunk                   = var.splunk
  opensearch               = var.opensearch
  elastic                  = var.elastic
  archive                  = var.archive
  failure_bucket           = var.failure_bucket
  transformer_zip_path     = var.transformer_zip_path
  transformer_architecture = var.transformer_architecture
  transformer_memory_mb    = var.transformer_memory_mb
  transformer_timeout_s    = var.transformer_timeout_s
  transformer_concurrency  = var.transformer_concurrency
  transformer_environment  = var.transformer_environment
  transformer_tracing      = var.transformer_tracing
  transformer_vpc          = var.transformer_vpc
  alarm_topic_arns         = var.alarm_topic_arns
  silence_hours            = var.silence_hours
  canary_minutes           = var.canary_minutes
  freshness_s              = var.freshness_s
  runbook_url              = var.runbook_url
  tags                     = var.tags

  execution_log_group_names = compact([for bot in var.bots : bot.execution_log_group_name])
}

module "bot_access" {
  source   = "./modules/bot_access"
  for_each = var.bots

  bot_name                 = each.key
  role_name                = each.value.role_name
  log_group_arn            = module.audit_pipeline.log_group_arn
  execution_log_group_name = each.value.execution_log_group_name
  fallback_streams         = module.audit_pipeline.delivery_stream_arns
  subscription_role_arn    = module.audit_pipeline.subscription_role_arn
  refused_log_groups       = module.audit_pipeline.refused_log_groups
}
