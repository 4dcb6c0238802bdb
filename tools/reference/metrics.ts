/** What the page of metrics says of each, and in which order; names, types and labels are those that the processes register. */
import { MOST_IN_HAND } from "../../src/sync/push/queue-reader.ts";
import { HELD_CAUSES } from "../../src/sync/rollouts/rollout-metrics.ts";
import { assertExplained, code, type Places, table } from "./page.ts";
import { registeredMetrics } from "./registered-metrics.ts";

/** By process, then by the name without `keyvault_injector_`. */
const MEANINGS: Readonly<Record<"webhook" | "sync" | "both", Readonly<Record<string, string>>>> = {
  webhook: {
    admission_requests_total: "admission reviews answered; see [reasons](reasons.md#admission-reasons)",
    admission_duration_seconds: "time from a review's request headers to its answer",
    admission_in_flight: "reviews being answered",
    admission_class_lookups_total: "classes looked up: `cached`, `read` (live), `missing`, `unknown` (could not be read)",
    admission_namespace_lookups_total:
      "Namespaces looked up for their defaults: `cached`, `read` (live), `missing`, `unknown` (could not be read)",
    preflight_reviews_total: "preflight reviews answered: of a `workload` or a `class`; `clean`, `warned` or `errored`",
    preflight_warnings_total: "reviews with this warning; see [preflight](preflight.md)",
    certificate_not_after_seconds: "end of validity, seconds since the epoch: `leaf` (served), `authority` (its CA)",
  },
  sync: {
    sync_total: "finished checks of a class against its vault; see [reasons](reasons.md#sync-reasons)",
    sync_duration_seconds: "the same checks, from the request to the written status",
    classes: "synced classes by the reason of their condition `Synced`; `Stale` and `GuardrailsMissing` count additionally",
    classes_overdue: "classes without a successful check for longer than two of their intervals",
    class_seconds_since_success:
      "time since the last successful check of a class that is overdue, or since the worker's start if there was none; the 100 that have waited longest",
    check_age_max_seconds: "age of the oldest successful check among all classes; below an interval while all is well",
    secrets_managed: "Secrets with the worker's label; with `--secret-access=blind` those that this process has written",
    secret_writes_total:
      "writes to Secrets: `create`, `apply`, `replace`, `delete`; `adopt` takes one over, `release` releases it, `leave` passes it to another class",
    drift_repairs_total: "Secrets repaired after a change by others: `edited`, `deleted`",
    object_expiry_seconds:
      "when synced objects expire (of two versions of one object the earlier), seconds since the epoch; the 100 that expire first, with those that have",
    objects_expiring:
      "synced objects that have expired (`expired`), or will within `7d`, `30d` or `90d`, each with those before it; an object counts once for each class that names it",
    gateway_certificates:
      "certificates that Gateways and Ingresses of the [named classes](../how-to/tls-for-gateways.md) ask for: `ready`, `pending` (not written yet), `invalid`, `conflict`, `failed` (their class does not sync)",
    crds_healed_total: "CRDs applied again or repaired",
    components_healed_total: "components of the install repaired after a change by others: `edited`, `deleted`; see [healing](healing.md)",
    component_damaged: "1 while a part of the install is damaged and is not healed",
    uninstalling: "1 while healing is off because of an uninstall",
    classes_restored_total: "classes made again from their snapshot",
    classes_repaired_total: "classes whose cut fields were completed from their snapshot",
    vault_requests_total:
      "requests to vaults, without challenges: for a `secret`, `key` or `certificate`; `get`, `list` (a page of a vault's objects) or `versions`; `ok`, `refused`, `throttled` (429), `unreachable`",
    vault_transactions_total:
      "the same by the vault's host name and operation, as counted by [its budget](vault-budget.md); beyond 200 vaults `other`, first for the namespace with the most",
    vault_throttled_total: "answers 429",
    vault_held_total:
      "requests not made because the vault throttles (`Throttled`) or does not answer (`Unreachable`), or because something before the vault failed, such as the sign-in (`NotAsked`)",
    vault_lookups_total: "lookups of an object: `asked` of the vault, `shared` with another class, `unchanged` by the vault's list",
    vault_breaker_open: "1 while a silent vault is paused",
    vault_rate: "current limit of requests per second to a vault; 300, less after a 429",
    event_messages_total:
      "messages of [event queues](../how-to/rotate-in-seconds.md): `acted` on, `duplicate`, `unnamed` (no class names the object), `foreign` (or the vault), `access` (policies of a vault changed), `otherType`, `malformed`, `poison` (received too often)",
    event_hints_total:
      "checks of a class because of an event: `applied` to its Secrets, `current` (they had it), `looked` (the vault has a newer version, or no key uses it), `leftToPoll` (the vault did not show it in time, or the namespace had no room)",
    event_lag_seconds: "from the time of a vault's event to the Secrets that hold its version, by the clocks of Azure and of the node",
    event_messages_in_hand: `messages that were received and are not deleted yet; from ${MOST_IN_HAND.toLocaleString("en-US")} of one queue on no more are received from it`,
    event_queue_up: "1 while an event queue answers; 0 while polls alone see new versions",
    event_queue_last_answer_timestamp_seconds: "when an event queue last answered, seconds since the epoch",
    rollouts_total: "restarts of workloads because of new versions: `started`, `completed`, `failed`",
    rollouts_waiting: "workloads that wait for their restart",
    rollouts_held: `due restarts that may not begin: ${code(...HELD_CAUSES)}. Only a person ends \`invalid_window\`, and mostly \`blocked\`: [restarts held](../runbooks/restarts-held.md)`,
    rollouts_halted: "namespaces in which a failed restart holds others up; the condition `Rotated` of their classes names the workload",
    queue_depth: "classes that are due and wait for a worker",
    queue_oldest_wait_seconds: "longest wait of a due class",
    queue_wait_seconds: "from the moment at which a class was due to its reconcile",
    queue_runs_total:
      "reconciles of a class: `done`, `requeueAfter` (again at a time), `retry` (failed, again after a backoff), `terminal` (failed, not tried again)",
    events_dropped_total:
      "events that were not posted: too many of a namespace waited, the API server refused them, or the worker stopped; each is logged",
    frozen: "1 while the class CRD is damaged, or not known yet, and the worker changes nothing because of classes",
    guardrails_missing: "1 while a policy that limits the worker stops nothing, or while somebody else's refusal hides whether it does",
    leader: "1 while this replica is the one that works",
  },
  both: {
    event_loop_blocked_seconds_total:
      "time that the event loop stood still, of the times that it did so for longer than a second; `nodejs_eventloop_lag_max_seconds` has the longest since the last scrape",
  },
};

export async function metricPlaces(): Promise<Places> {
  const registered = new Map((await registeredMetrics()).map((metric) => [metric.name, metric]));
  const explained = Object.entries(MEANINGS).flatMap(([process, meanings]) =>
    Object.entries(meanings).map(([suffix, means]) => ({ process, name: `keyvault_injector_${suffix}`, means })),
  );
  const names = explained.map(({ name }) => name);
  assertExplained(names, [...registered.keys()], "tools/reference/metrics.ts");
  const rows = explained.map(({ process, name, means }) => {
    const { type = "", labels = new Map() } = registered.get(name) ?? {};
    const shown = [...labels.keys()].filter((label) => label !== "le"); // The bounds of a histogram are Prometheus's.
    return [code(name), type, code(...shown), process, means];
  });
  return { metrics: table(["Name", "Type", "Labels", "Process", "Meaning"], rows) };
}
