/**
 * Troubles that end before a user could act, in promtool's notation with one sample each 15 s. The alert that they could cause must not
 * fire.
 */
export interface PassingTrouble {
  readonly what: string;
  readonly alert: string;
  /** Series with the trouble's real length, or with a multiple of it. */
  readonly series: (times: number) => Readonly<Record<string, string>>;
}

const HOOK = 'name="pods.keyvault-injector.dev"';
const ours = (name: string, labels: string): string => `keyvault_injector_${name}{${labels}}`;

/** Nothing for ten minutes, then `step` more at each of this number of samples, then nothing more. */
const burst = (step: number, samples: number): string => `0x39 0+${step}x${samples} ${step * samples}x300`;

export const PASSING_TROUBLES: readonly PassingTrouble[] = [
  {
    what: "a node is lost with one replica of the webhook: for a minute every other call fails",
    alert: "KeyVaultInjectorUnavailable",
    series: (times) => ({ [`apiserver_admission_webhook_fail_open_count{${HOOK}}`]: burst(3, 4 * times) }),
  },
  {
    what: "a proxy between API server and webhook answers for a minute, while it is replaced",
    alert: "KeyVaultInjectorCallErrors",
    series: (times) => ({
      [`apiserver_admission_webhook_rejection_count{${HOOK},error_type="apiserver_internal_error"}`]: burst(3, 4 * times),
    }),
  },
  {
    what: "a Job of many pods with a wrong annotation, mended within two minutes",
    alert: "KeyVaultInjectorRefusesPods",
    series: (times) => ({ [`apiserver_admission_webhook_rejection_count{${HOOK},error_type="no_error"}`]: burst(12, 8 * times) }),
  },
  {
    what: "more pods than the webhook has room for, for two minutes: a node pool starts",
    alert: "KeyVaultInjectorAdmissionErrors",
    series: (times) => ({ [ours("admission_requests_total", 'outcome="errored",reason="Overloaded",pod="a"')]: burst(5, 8 * times) }),
  },
  {
    what: "an API server that is slow for two minutes, on a cluster where few pods start",
    alert: "KeyVaultInjectorAdmissionSlow",
    series: (times) => ({
      [ours("admission_duration_seconds_bucket", 'outcome="patched",le="1",pod="a"')]: "0x400",
      [ours("admission_duration_seconds_bucket", 'outcome="patched",le="2.5",pod="a"')]: burst(1, 8 * times),
      [ours("admission_duration_seconds_bucket", 'outcome="patched",le="+Inf",pod="a"')]: burst(1, 8 * times),
    }),
  },
  {
    what: "a vault that throttles for two minutes",
    alert: "KeyVaultInjectorVaultThrottled",
    series: (times) => ({ [ours("vault_throttled_total", 'vault="v",pod="a"')]: burst(5, 8 * times) }),
  },
  {
    what: "the first sync of ten thousand objects: a vault's budget is used up for two minutes",
    alert: "KeyVaultInjectorVaultBudgetUsed",
    series: (times) => ({
      [ours("vault_transactions_total", 'vault="v",operation="get",pod="a"')]: burst(4_500, 8 * times),
      [ours("vault_rate", 'vault="v",pod="a"')]: "300x400",
    }),
  },
  {
    what: "a namespace's Secrets are deleted by hand, which takes two minutes",
    alert: "KeyVaultInjectorSecretsFoughtOver",
    series: (times) => ({ [ours("drift_repairs_total", 'damage="deleted",pod="a"')]: burst(12, 8 * times) }),
  },
  {
    what: "the API server restarts: for a minute no class can be written",
    alert: "KeyVaultInjectorLooksFail",
    series: (times) => ({ [ours("queue_runs_total", 'outcome="retry",pod="a"')]: burst(200, 4 * times) }),
  },
  {
    what: "the worker that leads is lost: the next one has the lease after half a minute",
    alert: "KeyVaultInjectorNoLeader",
    series: (times) => ({
      [ours("leader", 'pod="a"')]: "1x40 stale",
      [ours("leader", 'pod="b"')]: `0x${40 + 2 * times} 1x300`,
    }),
  },
  {
    what: "a new worker does not know its definitions for two minutes",
    alert: "KeyVaultInjectorFrozen",
    series: (times) => ({ [ours("frozen", 'pod="a"')]: `0x40 1x${8 * times} 0x300` }),
  },
  {
    what: "a rollout replaces the webhook's only scraped replica",
    alert: "KeyVaultInjectorCertificateUnknown",
    series: (times) => ({
      [ours("certificate_not_after_seconds", 'certificate="leaf",pod="a"')]: "3000000x40 stale",
      [ours("certificate_not_after_seconds", 'certificate="leaf",pod="b"')]: `_x${40 + 8 * times} 3000000x300`,
    }),
  },
];
