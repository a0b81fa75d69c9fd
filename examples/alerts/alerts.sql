-- What is wrong, one row each, from the JSON log lines of both plugins.
-- `alerts.py` sets the variables: logs (paths), moment, quota_bytes, quota_percent, rejected_percent, hours.
WITH line AS (
  SELECT to_timestamp(ts) AS moment, metric_info.metric AS metric, metric_info.value AS value
  FROM read_json(
    getvariable('logs'),
    format = 'newline_delimited',
    -- Lines of other programs may stand between ours.
    ignore_errors = true,
    columns = {
      ts: 'DOUBLE',
      metric_info: 'STRUCT(metric VARCHAR, value DOUBLE)'
    }
  )
),
metric AS (
  SELECT * FROM line WHERE metric IS NOT NULL AND moment <= getvariable('moment')
),
-- Marketo's day begins at midnight, US Central time.
today AS (
  SELECT coalesce(sum(value), 0) AS bytes
  FROM metric
  WHERE metric = 'export_file_bytes'
    AND timezone('America/Chicago', moment)
      >= date_trunc('day', timezone('America/Chicago', getvariable('moment')))
),
lately AS (
  SELECT * FROM metric WHERE moment > getvariable('moment') - to_hours(getvariable('hours'))
)
SELECT
  'quota' AS alert,
  format(
    '{:.1f} MB were exported today, {:.0f} % of the {:.1f} MB of a day',
    bytes / 1e6, 100 * bytes / getvariable('quota_bytes'), getvariable('quota_bytes') / 1e6
  ) AS what
FROM today
WHERE bytes > getvariable('quota_bytes') * getvariable('quota_percent') / 100
UNION ALL
SELECT 'no window', format('no window was finished for {} hours', getvariable('hours'))
WHERE NOT EXISTS (FROM lately WHERE metric = 'export_window_count' AND value > 0)
UNION ALL
SELECT 'rejects', format('a run of {} rejected {:.1f} % of its rows', strftime(moment, '%Y-%m-%d %H:%M'), value)
FROM lately
WHERE metric = 'import_rejected_percent' AND value > getvariable('rejected_percent')
ORDER BY 1, 2;
