import { AUTHORITY_SECRET, WEBHOOK_CONFIGURATION } from "../domain/certificates/names.ts";
import { RESOURCES } from "../domain/kubernetes.ts";
import type { CertificateSource } from "../domain/ports/certificate-source.ts";
import type { KubeWatcher } from "../domain/ports/kube-watcher.ts";
import { untilAborted } from "../runtime/lifecycle.ts";
import {
  type CertificateEnds,
  CertificatePass,
  type CertificatePassOptions,
  type PassOutcome,
  type Readiness,
} from "./certificate-pass.ts";
import { Wakeup } from "./wakeup.ts";

export interface CertificatesOptions extends CertificatePassOptions {
  readonly watcher: KubeWatcher;
}

export interface Certificates {
  readonly source: CertificateSource;
  /** Ready if a valid leaf is served and its CA is in the published caBundle. */
  ready(): Readiness;
  /** Returns the CAs with which API servers verify the served certificate, as PEM; undefined if they are not known. */
  trusted(): string | undefined;
  /** For the gauges. */
  expiry(): CertificateEnds;
  /** Unix milliseconds of the last pass in which nothing failed; undefined before the first. */
  lastSuccess(): number | undefined;
  /** Resolves after the signal aborted and the current pass has ended. Rejects only because of a bug. */
  readonly done: Promise<void>;
}

/**
 * Maximum milliseconds between two passes, whatever the timers did in the meantime: a clock that was set, or a process that was paused, is
 * detected within half a minute. Costs two reads per replica and tick.
 */
const TICK = 30_000;

const LONGEST_BACKOFF = 30_000;

/** If two writers disagree about the bundle, they cause a write per second instead of a busy loop. */
const PAUSE_AFTER_BUNDLE = 1_000;

/** Doubles with each CA written consecutively: replicas whose clocks differ by days would otherwise replace each other's CA forever. */
const PAUSE_AFTER_AUTHORITY = 2_000;

/** Maintains the CA, the bundle and the leaf until the signal aborts. The first pass starts at once. */
export function startCertificates(options: CertificatesOptions, signal: AbortSignal): Certificates {
  const pass = new CertificatePass(options);
  const wakeup = new Wakeup(options.clock);
  watch(options, wakeup, signal);
  let lastSuccess: number | undefined;
  const done = keepRunning({
    pass,
    wakeup,
    options,
    signal,
    onSuccess: () => {
      lastSuccess = options.clock.now();
    },
  });
  return {
    source: pass.source,
    ready: () => pass.readiness(),
    trusted: () => pass.bundle,
    expiry: () => pass.expiry,
    lastSuccess: () => lastSuccess,
    done,
  };
}

/** The watches only trigger a pass, and each pass reads the live objects. Nothing of a Secret is kept in memory here. */
function watch({ watcher, namespace }: CertificatesOptions, wakeup: Wakeup, signal: AbortSignal): void {
  const project = (object: { readonly metadata: { readonly resourceVersion?: string } }): string => object.metadata.resourceVersion ?? "";
  const onChange = (): void => wakeup.wake();
  const secret = { resource: RESOURCES.secrets, namespace, fieldSelector: `metadata.name=${AUTHORITY_SECRET}` };
  watcher.reflect({ ...secret, project, onChange }, signal);
  for (const resource of [RESOURCES.mutatingWebhookConfigurations, RESOURCES.validatingWebhookConfigurations]) {
    watcher.reflect({ resource, fieldSelector: `metadata.name=${WEBHOOK_CONFIGURATION}`, project, onChange }, signal);
  }
}

interface Loop {
  readonly pass: CertificatePass;
  readonly wakeup: Wakeup;
  readonly options: CertificatesOptions;
  readonly signal: AbortSignal;
  readonly onSuccess: () => void;
}

function keepRunning({ pass, wakeup, options, signal, onSuccess }: Loop): Promise<void> {
  let failures = 0;
  let authoritiesInARow = 0;
  return untilAborted(signal, async () => {
    const outcome = await pass.run(signal);
    failures = outcome.failed ? failures + 1 : 0;
    if (!outcome.failed) onSuccess();
    // The change that a pass wrote wakes the next pass, so only a quiet tick resets the count.
    authoritiesInARow = outcome.wroteAuthority ? authoritiesInARow + 1 : authoritiesInARow;
    const pause = pauseAfter(outcome, authoritiesInARow);
    if (pause > 0) await options.clock.sleep(pause, signal);
    const started = options.clock.now();
    const rest = outcome.failed ? Math.min(1_000 * 2 ** (failures - 1), LONGEST_BACKOFF) : Math.min(outcome.nextCheck ?? TICK, TICK);
    await wakeup.sleep(rest, signal);
    if (Math.abs(options.clock.now() - started) >= TICK) authoritiesInARow = 0;
  });
}

function pauseAfter({ wroteAuthority, wroteBundle }: PassOutcome, authoritiesInARow: number): number {
  if (wroteAuthority) return Math.min(PAUSE_AFTER_AUTHORITY * 2 ** (authoritiesInARow - 1), LONGEST_BACKOFF);
  return wroteBundle ? PAUSE_AFTER_BUNDLE : 0;
}
