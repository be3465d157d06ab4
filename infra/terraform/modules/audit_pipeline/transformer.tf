locals {
  alias_name = "live"
}

resource "aws_cloudwatch_log_group" "transformer" {
  #checkov:skip=CKV_AWS_158:it holds codes and counts, no record; AWS's own key encrypts it
  #checkov:skip=CKV_AWS_338:it is for operators, not the audit trail: 90 days are enough
  for_each = local.destinations

  name              = local.own_log_groups[each.key]
  retention_in_days = 90
  tags              = var.tags
}

resource "aws_lambda_function" "transformer" {
  #checkov:skip=CKV_AWS_116:Firehose calls it synchronously and keeps what fails; a dead letter queue is for asynchronous calls
  #checkov:skip=CKV_AWS_117:it talks to nothing inside a VPC; transformer_vpc is there for those who must
  #checkov:skip=CKV_AWS_173:the environment holds no secret
  #checkov:skip=CKV_AWS_272:the zip's digest is pinned by source_code_hash
  for_each = local.destinations

  function_name = local.function_names[each.key]
  description   = "Validates, enriches, labels and redacts audit records for ${each.key}"
  role          = aws_iam_role.transformer[each.key].arn

  filename         = var.transformer_zip_path
  source_code_hash = filebase64sha256(var.transformer_zip_path)
  handler          = "subscription_transformer.handler.lambda_handler"
  runtime          = local.transformer_runtime
  architectures    = [var.transformer_architecture]
  publish          = true

  memory_size                    = var.transformer_memory_mb
  timeout                        = var.transformer_timeout_s
  reserved_concurrent_executions = var.transformer_concurrency

  environment {
    variables = merge(
      var.transformer_environment,
      {
        AUDIT_DESTINATION = each.key
        # glibc returns memory less eagerly: a quarter faster on large batches.
        MALLOC_MMAP_THRESHOLD_ = "33554432"
        MALLOC_TRIM_THRESHOLD_ = "268435456"
      },
      each.key == "splunk" ? {
        for name, index in {
          AUDIT_SPLUNK_INDEX         = var.splunk.index
          AUDIT_SPLUNK_CONTENT_INDEX = var.splunk.content_index
        } : name => index if index != ""
      } : {},
    )
  }

  logging_config {
    log_format = "JSON"
    # A JSON line without a level counts as INFO: at WARN the metrics would be dropped.
    # The code itself logs at WARN only.
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.transformer[each.key].name
  }

  tracing_config {
    mode = var.transformer_tracing ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.transformer_vpc == null ? [] : [var.transformer_vpc]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  tags       = var.tags
  depends_on = [aws_iam_role_policy.transformer]
}

resource "aws_lambda_alias" "live" {
  for_each = local.destinations

  name             = local.alias_name
  description      = "The version that Firehose calls"
  function_name    = aws_lambda_function.transformer[each.key].function_name
  function_version = aws_lambda_function.transformer[each.key].version
}
