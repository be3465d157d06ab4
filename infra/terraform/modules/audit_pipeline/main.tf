data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id

  # One stream and one function a destination: each has its own failures and format.
  destinations = toset([
    for name, settings in {
      splunk     = var.splunk
      opensearch = var.opensearch
      elastic    = var.elastic
    } : name if settings != null
  ])

  stream_names   = { for name in local.destinations : name => "${var.name_prefix}-${name}" }
  function_names = { for name in local.destinations : name => "${var.name_prefix}-transformer-${name}" }

  # Made of names, not of resources: a policy must not wait for what it is about.
  stream_arns = {
    for name, stream in local.stream_names :
    name => "arn:${local.partition}:firehose:${local.region}:${local.account_id}:deliverystream/${stream}"
  }
  archive_stream_name = "${var.name_prefix}-archive"
  archive_stream_arn  = "arn:${local.partition}:firehose:${local.region}:${local.account_id}:deliverystream/${local.archive_stream_name}"
  log_groups_arn      = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group"
  log_group_arn       = "${local.log_groups_arn}:${var.log_group_name}"

  # The archive is a stream too, but one without a function.
  all_stream_names = merge(local.stream_names, var.archive == null ? {} : { archive = local.archive_stream_name })
  filter_names     = { for name in keys(local.all_stream_names) : name => "${var.name_prefix}-${name}" }

  error_log_groups = { for name, stream in local.all_stream_names : name => "/aws/kinesisfirehose/${stream}" }
  own_log_groups   = { for name, function in local.function_names : name => "/aws/lambda/${function}" }

  # What must never be subscribed: the pipeline would feed itself, or read as records
  # what a bot happens to print.
  refused_log_groups = concat(values(local.own_log_groups), values(local.error_log_groups), var.execution_log_group_names)

  # Known when planning, also where the key's ARN is not.
  has_key     = var.create_kms_key || var.kms_key_arn != null
  kms_key_arn = var.kms_key_arn != null ? var.kms_key_arn : one(aws_kms_key.this[*].arn)
}
