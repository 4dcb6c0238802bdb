/** Time series in promtool's notation with which an alert fires, and some with which it does not. One sample a minute. */
export interface AlertCase {
  readonly alert: string;
  readonly fires: Situation & {
    /** Labels of each expected alert in addition to `severity`. */
    readonly labels: readonly Readonly<Record<string, string>>[];
  };
  readonly silent: Situation;
}

interface Situation {
  readonly series: Readonly<Record<string, string>>;
  /** Time of the evaluation. */
  readonly at: string;
}

const k = (name: string, labels = ""): string => `keyvault_injector_${name}${labels === "" ? "" : `{${labels}}`}`;
const HOOK = 'name="pods.keyvault-injector.dev"';
const NONE = [{}];

/** Each has a similar case in which the alert must not fire: too short, too little, or from another component. */
export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: "KeyVaultInjectorUnavailable",
    fires: { series: { [`apiserver_admission_webhook_fail_open_count{${HOOK}}`]: "0+1x30" }, at: "20m", labels: NONE },
    silent: { series: { 'apiserver_admission_webhook_fail_open_count{name="pods.somebody.else"}': "0+1x30" }, at: "20m" },
  },
  {
    // R12: the API server skips a webhook that it cannot reach, and counts it only as a pod that failed open.
    alert: "KeyVaultInjectorCallErrors",
    fires: {
      series: { [`apiserver_admission_webhook_rejection_count{${HOOK},error_type="apiserver_internal_error"}`]: "0+1x30" },
      at: "20m",
      labels: NONE,
    },
    silent: { series: { [`apiserver_admission_webhook_rejection_count{${HOOK},error_type="no_error"}`]: "0+1x30" }, at: "20m" },
  },
  {
    alert: "KeyVaultInjectorRefusesPods",
    fires: {
      series: { [`apiserver_admission_webhook_rejection_count{${HOOK},error_type="no_error"}`]: "0+3x60" },
      at: "50m",
      labels: NONE,
    },
    silent: { series: { [`apiserver_admission_webhook_rejection_count{${HOOK},error_type="no_error"}`]: "0+1x60" }, at: "50m" },
  },
  {
    alert: "KeyVaultInjectorServingCertificateExpires",
    fires: {
      series: { [k("certificate_not_after_seconds", 'certificate="leaf",pod="a"')]: "80000x30" },
      at: "20m",
      labels: [{ certificate: "leaf", pod: "a" }],
    },
    silent: { series: { [k("certificate_not_after_seconds", 'certificate="leaf",pod="a"')]: "90000x30" }, at: "20m" },
  },
  {
    alert: "KeyVaultInjectorAuthorityExpires",
    fires: {
      series: { [k("certificate_not_after_seconds", 'certificate="authority",pod="a"')]: "2000000x90" },
      at: "80m",
      labels: [{ certificate: "authority", pod: "a" }],
    },
    silent: { series: { [k("certificate_not_after_seconds", 'certificate="authority",pod="a"')]: "3000000x90" }, at: "80m" },
  },
  {
    alert: "KeyVaultInjectorCertificateUnknown",
    fires: {
      series: { [k("certificate_not_after_seconds", 'certificate="authority"')]: "3000000x60" },
      at: "30m",
      labels: [{ certificate: "leaf" }],
    },
    silent: { series: { [k("certificate_not_after_seconds", 'certificate="leaf"')]: "3000000x60" }, at: "30m" },
  },
  {
    alert: "KeyVaultInjectorAdmissionErrors",
    fires: {
      series: { [k("admission_requests_total", 'outcome="errored",reason="InternalError"')]: "0+1x40" },
      at: "30m",
      labels: [{ reason: "InternalError" }],
    },
    // R7: a burst of reviews without room that were retried once.
    silent: { series: { [k("admission_requests_total", 'outcome="errored",reason="Overloaded"')]: "0x9 30x30" }, at: "18m" },
  },
  {
    alert: "KeyVaultInjectorAdmissionSlow",
    fires: {
      series: {
        [k("admission_duration_seconds_bucket", 'outcome="patched",le="1"')]: "0+50x40",
        [k("admission_duration_seconds_bucket", 'outcome="patched",le="2.5"')]: "0+100x40",
        [k("admission_duration_seconds_bucket", 'outcome="patched",le="+Inf"')]: "0+100x40",
      },
      at: "30m",
      labels: NONE,
    },
    silent: {
      series: {
        [k("admission_duration_seconds_bucket", 'outcome="patched",le="1"')]: "0+100x40",
        [k("admission_duration_seconds_bucket", 'outcome="patched",le="2.5"')]: "0+100x40",
        [k("admission_duration_seconds_bucket", 'outcome="patched",le="+Inf"')]: "0+100x40",
      },
      at: "30m",
    },
  },
  {
    alert: "KeyVaultInjectorComponentDamaged",
    fires: {
      series: { [k("component_damaged", 'component="ValidatingAdmissionPolicy keyvault-injector-pod-volume",pod="a"')]: "1x30" },
      at: "20m",
      labels: [{ component: "ValidatingAdmissionPolicy keyvault-injector-pod-volume" }],
    },
    // Healed, as usual, before a user could act.
    silent: { series: { [k("component_damaged", 'component="Deployment keyvault-injector-webhook",pod="a"')]: "1x3 0x30" }, at: "20m" },
  },
  {
    alert: "KeyVaultInjectorNoLeader",
    fires: { series: { [k("leader", 'pod="a"')]: "1x5 0x20", [k("leader", 'pod="b"')]: "0x25" }, at: "15m", labels: NONE },
    // A failover: no leader for three minutes, then the other one.
    silent: { series: { [k("leader", 'pod="a"')]: "1x5 0x20", [k("leader", 'pod="b"')]: "0x8 1x20" }, at: "15m" },
  },
  {
    alert: "KeyVaultInjectorFrozen",
    fires: { series: { [k("frozen", 'pod="a"')]: "1x20", [k("frozen", 'pod="b"')]: "0x20" }, at: "10m", labels: NONE },
    silent: { series: { [k("frozen", 'pod="a"')]: "1x3 0x20" }, at: "10m" },
  },
  {
    alert: "KeyVaultInjectorGuardrailsMissing",
    fires: {
      series: { [k("guardrails_missing", 'policy="keyvault-injector-sync-secrets",pod="a"')]: "1x30" },
      at: "20m",
      labels: [{ policy: "keyvault-injector-sync-secrets" }],
    },
    silent: { series: { [k("guardrails_missing", 'policy="keyvault-injector-sync-secrets",pod="a"')]: "0x30" }, at: "20m" },
  },
  {
    alert: "KeyVaultInjectorClassesNotSynced",
    fires: {
      series: {
        [k("classes", 'reason="ObjectNotFound",pod="a"')]: "2x60",
        [k("classes", 'reason="Stale",pod="a"')]: "1x60",
        [k("classes", 'reason="Synced",pod="a"')]: "9x60",
        [k("classes", 'reason="Conflict",pod="a"')]: "0x60",
      },
      at: "40m",
      labels: [{ reason: "ObjectNotFound" }, { reason: "Stale" }],
    },
    silent: {
      series: {
        [k("classes", 'reason="Synced"')]: "9x60",
        [k("classes", 'reason="Frozen"')]: "9x60",
        [k("classes", 'reason="SwitchedOff"')]: "9x60",
        [k("classes", 'reason="Conflict"')]: "1x20 0x40",
      },
      at: "40m",
    },
  },
  {
    alert: "KeyVaultInjectorClassNotChecked",
    fires: {
      series: { [k("class_seconds_since_success", 'namespace="shop",class="web",pod="a"')]: "3000+60x40" },
      at: "30m",
      labels: [{ namespace: "shop", class: "web" }],
    },
    silent: { series: { [k("class_seconds_since_success", 'namespace="shop",class="web",pod="a"')]: "300+60x40" }, at: "30m" },
  },
  {
    alert: "KeyVaultInjectorVaultUnreachable",
    fires: { series: { [k("vault_breaker_open", 'vault="v",pod="a"')]: "1x30" }, at: "20m", labels: [{ vault: "v" }] },
    silent: { series: { [k("vault_breaker_open", 'vault="v",pod="a"')]: "1x5 0x30" }, at: "20m" },
  },
  {
    alert: "KeyVaultInjectorVaultThrottled",
    fires: { series: { [k("vault_throttled_total", 'vault="v",pod="a"')]: "0+1x60" }, at: "50m", labels: [{ vault: "v" }] },
    silent: { series: { [k("vault_throttled_total", 'vault="v",pod="a"')]: "0 5x60" }, at: "50m" },
  },
  {
    alert: "KeyVaultInjectorVaultBudgetUsed",
    fires: {
      series: {
        [k("vault_transactions_total", 'vault="v",operation="get",pod="a"')]: "0+12000x60",
        [k("vault_transactions_total", 'vault="v",operation="list",pod="a"')]: "0+3000x60",
        [k("vault_rate", 'vault="v",pod="a"')]: "300x60",
      },
      at: "50m",
      labels: [{ vault: "v" }],
    },
    // Four shards, each at a quarter of its share, so that together they are far from the limit too.
    silent: {
      series: Object.fromEntries(
        ["a", "b", "c", "d"].flatMap((pod) => [
          [k("vault_transactions_total", `vault="v",operation="get",pod="${pod}"`), "0+1200x60"],
          [k("vault_rate", `vault="v",pod="${pod}"`), "75x60"],
        ]),
      ),
      at: "50m",
    },
  },
  {
    alert: "KeyVaultInjectorObjectExpires",
    fires: {
      series: { [k("object_expiry_seconds", 'namespace="shop",class="web",object="secret/o",pod="a"')]: "500000x90" },
      at: "80m",
      labels: [{ namespace: "shop", class: "web", object: "secret/o" }],
    },
    silent: { series: { [k("object_expiry_seconds", 'namespace="shop",class="web",object="secret/o",pod="a"')]: "700000x90" }, at: "80m" },
  },
  {
    alert: "KeyVaultInjectorSecretsFoughtOver",
    fires: { series: { [k("drift_repairs_total", 'damage="edited",pod="a"')]: "0+2x60" }, at: "50m", labels: NONE },
    // A namespace was emptied once.
    silent: { series: { [k("drift_repairs_total", 'damage="deleted",pod="a"')]: "0 100x60" }, at: "50m" },
  },
  {
    alert: "KeyVaultInjectorRolloutsHalted",
    fires: { series: { [k("rollouts_halted", 'pod="a"')]: "1x30", [k("rollouts_halted", 'pod="b"')]: "0x30" }, at: "20m", labels: NONE },
    silent: { series: { [k("rollouts_halted", 'pod="a"')]: "0x30" }, at: "20m" },
  },
  {
    alert: "KeyVaultInjectorRestartsHeld",
    fires: {
      series: {
        [k("rollouts_held", 'cause="invalid_window",pod="a"')]: "1x90",
        [k("rollouts_held", 'cause="blocked",pod="a"')]: "2x90",
        [k("rollouts_held", 'cause="window",pod="a"')]: "3x90",
      },
      at: "80m",
      labels: [{ cause: "invalid_window" }, { cause: "blocked" }],
    },
    // A closed window and a user's pause last for days, and an admission webhook was unavailable for half an hour.
    silent: {
      series: {
        [k("rollouts_held", 'cause="window",pod="a"')]: "3x90",
        [k("rollouts_held", 'cause="paused",pod="a"')]: "1x90",
        [k("rollouts_held", 'cause="blocked",pod="a"')]: "1x30 0x60",
      },
      at: "80m",
    },
  },
  {
    alert: "KeyVaultInjectorWorkerBehind",
    fires: { series: { [k("queue_oldest_wait_seconds", 'pod="a"')]: "90x30" }, at: "20m", labels: NONE },
    silent: { series: { [k("queue_oldest_wait_seconds", 'pod="a"')]: "90x5 0x30" }, at: "20m" },
  },
  {
    alert: "KeyVaultInjectorLooksFail",
    fires: {
      series: {
        [k("queue_runs_total", 'outcome="retry",pod="a"')]: "0+1x60",
        [k("queue_runs_total", 'outcome="terminal",pod="a"')]: "0+1x60",
      },
      at: "50m",
      labels: NONE,
    },
    silent: { series: { [k("queue_runs_total", 'outcome="requeueAfter",pod="a"')]: "0+50x60" }, at: "50m" },
  },
  {
    alert: "KeyVaultInjectorEventQueueNotRead",
    fires: {
      series: {
        [k("event_queue_up", 'queue="away",pod="a"')]: "1x5 0x40",
        [k("event_queue_up", 'queue="silent",pod="a"')]: "1x45",
        [k("event_queue_last_answer_timestamp_seconds", 'queue="silent",pod="a"')]: "0+60x5 300x40",
      },
      at: "35m",
      labels: [{ queue: "away" }, { queue: "silent" }],
    },
    // A failover, a storage account's outage of some minutes, and an install without queues.
    silent: {
      series: {
        [k("event_queue_up", 'queue="q",pod="a"')]: "1x5 0x8 1x40",
        [k("event_queue_last_answer_timestamp_seconds", 'queue="q",pod="a"')]: "0+60x5 300x8 840+60x40",
        [k("leader", 'pod="b"')]: "1x50",
      },
      at: "35m",
    },
  },
];
