/** Values of the objects for Prometheus and Grafana. */
import { BOOLEAN, LABELS, TEXT, type ValueRow } from "./value-row.ts";

export const monitoringRows: readonly ValueRow[] = [
  {
    path: "monitoring.service.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Creates a headless Service for each process, which a Prometheus without the Prometheus operator can discover.",
  },
  { path: "monitoring.service.labels", default: {}, type: LABELS, meaning: "Labels of the headless Services." },
  {
    path: "monitoring.service.annotations",
    default: {},
    type: LABELS,
    meaning:
      "Annotations of the headless Services. They override the chart's own `prometheus.io/scrape`, `prometheus.io/port`, and `prometheus.io/path`.",
  },
  {
    path: "monitoring.podMonitor.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Creates a PodMonitor for both processes. This requires the Prometheus operator's CRDs.",
  },
  { path: "monitoring.podMonitor.labels", default: {}, type: LABELS, meaning: "Labels by which your Prometheus selects the PodMonitor." },
  {
    path: "monitoring.podMonitor.interval",
    default: "",
    type: { type: ["string", "null"], pattern: "^([0-9]+(ms|s|m|h))*$" },
    meaning: "How often Prometheus scrapes the pods. If empty, Prometheus uses its own default.",
  },
  {
    path: "monitoring.prometheusRule.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Creates PrometheusRules with the alerts. This requires the Prometheus operator's CRDs.",
  },
  {
    path: "monitoring.prometheusRule.labels",
    default: {},
    type: LABELS,
    meaning: "Labels by which your Prometheus selects the PrometheusRules.",
  },
  {
    path: "monitoring.prometheusRule.runbookUrl",
    default: "",
    type: TEXT,
    meaning:
      "Base URL of your own copy of the runbooks, for links in the alerts and the dashboard. If empty, the links lead to the project's runbooks.",
  },
  {
    path: "monitoring.dashboard.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Creates a ConfigMap with the dashboard. Grafana's sidecar loads this ConfigMap.",
  },
  {
    path: "monitoring.dashboard.labels",
    default: {},
    type: LABELS,
    meaning: 'Labels of the ConfigMap with the dashboard, in addition to `grafana_dashboard: "1"`, which the sidecar selects by default.',
  },
  {
    path: "monitoring.dashboard.annotations",
    default: {},
    type: LABELS,
    meaning: "Annotations of the ConfigMap with the dashboard, such as the one that tells Grafana's sidecar which folder to use.",
  },
];
