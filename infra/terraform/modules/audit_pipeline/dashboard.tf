locals {
  # In the order of the flow: bots, log group, subscription, stream, transformer,
  # delivery, failures. A row: title, then metrics as CloudWatch's dashboards write them.
  dashboard_rows = concat(
    [
      {
        title = "Bots: records written, fallen back, failed"
        metrics = [
          for id, name in { written = "Written", fallback = "Fallback", failed = "Failed", shortened = "Shortened" } :
          [{ id = id, label = name, expression = "SELECT SUM(${name}) FROM SCHEMA(\"${local.emitter_space}\", BotName)" }]
        ]
      },
      {
        title   = "Log group: events from bots"
        metrics = [["AWS/Logs", "IncomingLogEvents", "LogGroupName", var.log_group_name]]
      },
    ],
    flatten([for name in sort(keys(local.all_stream_names)) : [
      {
        title = "Subscription to ${name}"
        metrics = [
          for metric in ["ForwardedLogEvents", "DeliveryErrors", "DeliveryThrottling"] :
          ["AWS/Logs", metric, "LogGroupName", var.log_group_name, "DestinationType", "Firehose", "FilterName", local.filter_names[name]]
        ]
      },
      {
        title = "Stream to ${name}"
        metrics = [
          for metric in ["IncomingBytes", "BytesPerSecondLimit", "IncomingPutRequests", "PutRequestsPerSecondLimit", "ThrottledRecords"] :
          ["AWS/Firehose", metric, "DeliveryStreamName", local.all_stream_names[name]]
        ]
      },
    ]]),
    flatten([for name in sort(tolist(local.destinations)) : [
      {
        title = "Transformer of ${name}: runs"
        metrics = concat(
          [for metric in ["Invocations", "Errors", "Throttles"] : ["AWS/Lambda", metric, "FunctionName", local.function_names[name]]],
          [["AWS/Lambda", "Duration", "FunctionName", local.function_names[name], { stat = "Maximum", yAxis = "right" }]],
        )
      },
      {
        title = "Transformer of ${name}: records"
        metrics = [
          for metric in [
            "EventsDelivered", "EventsQuarantined", "RecordsFailed", "Redactions", "RedactionFailures", "Shortened",
            "DocumentsPutBack", "PutBackFailed", "PutBackThrottled", "CanarySeen",
          ] :
          [local.transformer_space, metric, "Destination", name]
        ]
      },
    ]]),
    [for name in sort(keys(local.all_stream_names)) : {
      title = "Delivery to ${name}"
      metrics = [
        for metric, options in {
          DataFreshness = { stat = "Maximum", yAxis = "right" }
          Success       = { stat = "Average" }
          Records       = { stat = "Sum" }
        } :
        ["AWS/Firehose", "${local.delivery_metrics[name]}.${metric}", "DeliveryStreamName", local.all_stream_names[name], options]
      ]
    }],
    [for name in sort(tolist(local.destinations)) : {
      title   = "Failure bucket: ${name}"
      metrics = [["AWS/S3", "PutRequests", "BucketName", aws_s3_bucket.this["failed"].bucket, "FilterId", local.failure_metric_names[name]]]
    }],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name_prefix}-pipeline"
  dashboard_body = jsonencode({
    widgets = [
      for number, row in local.dashboard_rows : {
        type   = "metric"
        x      = number % 2 * 12
        y      = floor(number / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = row.title
          region  = local.region
          stat    = "Sum"
          period  = 300
          view    = "timeSeries"
          metrics = row.metrics
        }
      }
    ]
  })
}
