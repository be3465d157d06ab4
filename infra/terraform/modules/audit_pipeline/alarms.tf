locals {
  # Where a destination's metrics stand in AWS/Firehose.
  delivery_metrics = {
    splunk     = "DeliveryToSplunk"
    opensearch = "DeliveryToAmazonOpenSearchService"
    elastic    = "DeliveryToHttpEndpoint"
    archive    = "DeliveryToS3"
  }
  transformer_space = "ChatbotAudit/Transformer"
  emitter_space     = "ChatbotAudit/Emitter"

  # Every alarm has a section in the runbook. What is not said: any, within 5 minutes.
  function_alarms = [for name in local.destinations : {
    "transformer-errors-${name}" = {
      about  = "The transformer of ${name} fails; Firehose keeps originals after four tries.", section = "transformer-errors"
      metric = ["AWS/Lambda", "Errors", { FunctionName = local.function_names[name] }]
    }
    "transformer-throttles-${name}" = {
      about  = "The transformer of ${name} is throttled.", section = "transformer-throttles", periods = 3
      metric = ["AWS/Lambda", "Throttles", { FunctionName = local.function_names[name] }]
    }
    "transformer-duration-${name}" = {
      about     = "The transformer of ${name} needs more than four fifths of its time-out.", section = "transformer-duration", periods = 3
      metric    = ["AWS/Lambda", "Duration", { FunctionName = local.function_names[name] }]
      statistic = "Maximum", threshold = var.transformer_timeout_s * 800
    }
    "records-failed-${name}" = {
      about  = "Records on their way to ${name} could not be decoded or put back; their originals are in the failure bucket.", section = "records-failed"
      metric = [local.transformer_space, "RecordsFailed", { Destination = name }]
    }
    "records-quarantined-${name}" = {
      about  = "Messages on their way to ${name} are no valid records.", section = "records-quarantined", period_s = 900
      metric = [local.transformer_space, "EventsQuarantined", { Destination = name }]
    }
    "redaction-failures-${name}" = {
      about  = "Texts on their way to ${name} were withheld because scanning them failed.", section = "redaction-failures"
      metric = [local.transformer_space, "RedactionFailures", { Destination = name }]
    }
    "put-back-${name}" = {
      about  = "Records put back into the stream of ${name} are lost to the failure bucket.", section = "put-back"
      metric = [local.transformer_space, "PutBackFailed", { Destination = name }]
    }
    "put-back-throttled-${name}" = {
      about  = "Firehose throttles put-backs of ${name} again and again.", section = "put-back", periods = 3, threshold = 100
      metric = [local.transformer_space, "PutBackThrottled", { Destination = name }]
    }
    "failed-objects-${name}" = {
      about  = "Firehose wrote into the failure bucket what it could not deliver to ${name}; replay it.", section = "failed-objects"
      metric = ["AWS/S3", "PutRequests", { BucketName = aws_s3_bucket.this["failed"].bucket, FilterId = local.failure_metric_names[name] }]
    }
  }]

  stream_alarms = [for name, stream in local.all_stream_names : {
    "freshness-${name}" = {
      about     = "The oldest record on its way to ${name} is older than ${var.freshness_s} seconds.", section = "freshness", periods = 3
      metric    = ["AWS/Firehose", "${local.delivery_metrics[name]}.DataFreshness", { DeliveryStreamName = stream }]
      statistic = "Maximum", threshold = var.freshness_s
    }
    "delivery-${name}" = {
      about     = "Deliveries to ${name} fail.", section = "delivery", periods = 3
      metric    = ["AWS/Firehose", "${local.delivery_metrics[name]}.Success", { DeliveryStreamName = stream }]
      statistic = "Average", threshold = 1, compare = "LessThanThreshold"
    }
    "stream-throttled-${name}" = {
      about  = "The stream to ${name} refuses records: its quota is used up.", section = "stream-throttled", periods = 3
      metric = ["AWS/Firehose", "ThrottledRecords", { DeliveryStreamName = stream }]
    }
    "stream-bytes-${name}" = {
      about  = "The stream to ${name} takes in more than four fifths of the bytes that its quota allows.", section = "stream-bytes", periods = 3
      metric = ["AWS/Firehose", "IncomingBytes", { DeliveryStreamName = stream }]
      limit  = "BytesPerSecondLimit", threshold = 80
    }
    "stream-puts-${name}" = {
      about  = "The stream to ${name} gets more than four fifths of the put requests that its quota allows.", section = "stream-puts", periods = 3
      metric = ["AWS/Firehose", "IncomingPutRequests", { DeliveryStreamName = stream }]
      limit  = "PutRequestsPerSecondLimit", threshold = 80
    }
    "subscription-errors-${name}" = {
      about  = "CloudWatch Logs cannot deliver to the stream of ${name}; after an error that is not retried, events are skipped.", section = "subscription-errors"
      metric = ["AWS/Logs", "DeliveryErrors", { LogGroupName = var.log_group_name, DestinationType = "Firehose", FilterName = local.filter_names[name] }]
    }
    "subscription-throttling-${name}" = {
      about  = "CloudWatch Logs is throttled by the stream of ${name}.", section = "subscription-throttling", periods = 6
      metric = ["AWS/Logs", "DeliveryThrottling", { LogGroupName = var.log_group_name, DestinationType = "Firehose", FilterName = local.filter_names[name] }]
    }
  }]

  # One alarm for all bots, also those that come later: a query over the dimension.
  emitter_alarms = {
    emitter-fallbacks = {
      about = "A bot could not reach CloudWatch Logs and wrote records to its fallback.", section = "emitter-fallbacks"
      query = "SELECT SUM(Fallback) FROM SCHEMA(\"${local.emitter_space}\", BotName)"
    }
    emitter-failures = {
      about = "A bot lost records: neither CloudWatch Logs nor the fallback took them.", section = "emitter-failures"
      query = "SELECT SUM(Failed) FROM SCHEMA(\"${local.emitter_space}\", BotName)"
    }
  }

  # That nothing comes is news as well.
  absence_alarms = merge(concat(
    [{
      for key in var.silence_hours == 0 ? [] : ["silence"] : key => {
        about   = "No record has arrived for ${var.silence_hours} hours.", section = "silence", periods = var.silence_hours, period_s = 3600
        metric  = ["AWS/Logs", "IncomingLogEvents", { LogGroupName = var.log_group_name }]
        compare = "LessThanThreshold", threshold = 1, missing = "breaching"
      }
    }],
    [for name in local.destinations : {
      for key in var.canary_minutes == 0 ? [] : ["canary-${name}"] : key => {
        about   = "No canary record was seen on its way to ${name} for ${var.canary_minutes} minutes.", section = "canary", periods = ceil(var.canary_minutes / 5)
        metric  = [local.transformer_space, "CanarySeen", { Destination = name }]
        compare = "LessThanThreshold", threshold = 1, missing = "breaching"
      }
    }],
  )...)

  alarms = merge(concat(
    local.function_alarms,
    local.stream_alarms,
    [local.emitter_alarms, local.absence_alarms],
  )...)

  # Alarms on one metric, and those whose value is worked out of several.
  plain_alarms = { for key, alarm in local.alarms : key => alarm if !can(alarm.query) && !can(alarm.limit) }
  terms = merge(
    { for key, alarm in local.alarms : key => { value = alarm.query } if can(alarm.query) },
    { for key, alarm in local.alarms : key => { value = "100 * used / PERIOD(used) / allowed" } if can(alarm.limit) },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name_prefix}-${each.key}"
  alarm_description   = "${each.value.about} Runbook: ${var.runbook_url}#${each.value.section}"
  comparison_operator = try(each.value.compare, "GreaterThanThreshold")
  threshold           = try(each.value.threshold, 0)
  evaluation_periods  = try(each.value.periods, 1)
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = var.tags

  namespace   = try(local.plain_alarms[each.key].metric[0], null)
  metric_name = try(local.plain_alarms[each.key].metric[1], null)
  dimensions  = try(local.plain_alarms[each.key].metric[2], null)
  statistic   = contains(keys(local.plain_alarms), each.key) ? try(each.value.statistic, "Sum") : null
  period      = contains(keys(local.plain_alarms), each.key) ? try(each.value.period_s, 300) : null

  dynamic "metric_query" {
    for_each = try([local.terms[each.key]], [])
    content {
      id          = "value"
      expression  = metric_query.value.value
      period      = can(each.value.query) ? 300 : null
      label       = each.key
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = can(each.value.limit) ? { used = [each.value.metric[1], "Sum"], allowed = [each.value.limit, "Minimum"] } : {}
    content {
      id          = metric_query.key
      return_data = false
      metric {
        namespace   = each.value.metric[0]
        metric_name = metric_query.value[0]
        dimensions  = each.value.metric[2]
        stat        = metric_query.value[1]
        period      = 300
      }
    }
  }
}
