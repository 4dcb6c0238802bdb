import type { Clock } from "../../domain/ports/clock.ts";
import { notLeading } from "../../domain/ports/kube-error.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { VaultObjectKind } from "../../domain/ports/vault-object.ts";
import { isOpen } from "../../domain/schedule/breaker.ts";
import {
  type Admission,
  admit,
  admitNow,
  answeredPressure,
  noPressure,
  notAsked,
  rateOf,
  stretchOf,
  throttled,
  unanswered,
  unreported,
  type VaultPressure,
} from "../../domain/schedule/vault-pressure.ts";
import { FairSlots } from "../../runtime/fair-slots.ts";
import type { VaultMetrics, VaultOperation, VaultOutcome } from "./vault-metrics.ts";
import { VaultUsage } from "./vault-usage.ts";

/** Milliseconds over which requests that were held up together are spread. */
const SPREAD_MS = 30_000;
/** The same for the few requests of namespaces that sent little. */
const MODEST_SPREAD_MS = 1_000;

/** The time in which this replica leads. Before and after it, another replica queries the same vaults, which count the requests of both. */
export interface Leadership {
  /** Time in milliseconds, by the clock's monotonic time, until which another leader may have sent requests. */
  readonly since: number;
  /** Returns false if the lease was not renewed in time: another replica may lead. */
  readonly holdsLease: () => boolean;
}

export interface GateOptions {
  readonly clock: Clock;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly metrics: VaultMetrics;
  /** Undefined if no other replica queries the vaults before or after this one. */
  readonly leadership?: Leadership | undefined;
  /** Part of a vault's budget that this worker has, if other shards query the vault, too. Default: all of it. */
  readonly portion?: number | undefined;
}

/** Request to a vault, as far as the limits of the vault and the metrics distinguish requests. */
export interface VaultCall {
  readonly kind: VaultObjectKind;
  readonly operation: VaultOperation;
  /** Namespace of the class that sends it. Namespaces take turns while requests wait for the vault's budget. */
  readonly namespace: string;
}

function isKeyRead({ kind, operation }: VaultCall): boolean {
  return kind === "key" && operation === "get";
}

/** The part of an error that holds for every request: neither the requested object nor the stack. */
type Cause = Pick<VaultError, "words" | "serviceCode">;

const NO_CAUSE: Cause = { words: "", serviceCode: undefined };

function causeOf({ words, serviceCode }: VaultError): Cause {
  return { words, serviceCode };
}

/** Tolerance in milliseconds for the difference of two times with fractions: rounded up, 2000 could come out as 2001. */
const ROUNDING_MS = 1e-6;

/** Gate of one vault, for all identities: every request waits here for its turn and reports its outcome. */
export class VaultGate {
  readonly #options: GateOptions;
  readonly #vaultUrl: string;
  readonly #turns = new FairSlots(1);
  readonly #keyTurns = new FairSlots(1);
  readonly #usage = new VaultUsage();
  /** Namespaces with most requests when the vault last throttled. */
  #payers: ReadonlySet<string> = new Set();
  #pressure: VaultPressure;
  /** Error of the vault's first failure since its last answer, and of its last 429. */
  readonly #causes: Record<"Unreachable" | "Throttled", Cause> = { Unreachable: NO_CAUSE, Throttled: NO_CAUSE };

  constructor(vaultUrl: string, options: GateOptions) {
    this.#options = options;
    this.#vaultUrl = vaultUrl;
    this.#pressure = noPressure(options.leadership?.since, options.portion);
    this.#update(this.#pressure);
  }

  /** Label of the vault in metrics. It is read anew each time, because its series end when no class names the vault any longer. */
  get #labels(): { readonly vault: string } {
    return { vault: this.#options.metrics.vaults.labelOf(this.#vaultUrl) };
  }

  /** Returns the factor by which to lengthen the poll interval of the namespace's classes: 1 if others made the vault throttle. */
  stretchFor(namespace: string): number {
    return this.#payers.has(namespace) ? stretchOf(this.#pressure) : 1;
  }

  /**
   * Makes the call when its turn comes, and throws as the call does. If the gate holds the call up because the vault throttles or does not
   * answer, it throws a {@link VaultError} with the time of the next attempt.
   */
  async pass<T>(call: VaultCall, ask: () => Promise<T>, signal: AbortSignal, isRequest: (result: T) => boolean = () => true): Promise<T> {
    const request = await this.#turn(call, signal);
    if (this.#options.leadership?.holdsLease() === false) {
      this.#notAsked(call, request);
      throw notLeading(`ask ${this.#vaultUrl}`);
    }
    try {
      const result = await ask();
      // The client finds the end of a list without a request.
      if (isRequest(result)) this.#ended(call, "ok", answeredPressure(this.#pressure, this.#options.clock.now()));
      else this.#notAsked(call, request);
      return result;
    } catch (error) {
      throw this.#failed(call, request, error);
    }
  }

  /** Waits for the request's turn, and returns its number. */
  async #turn(call: VaultCall, signal: AbortSignal): Promise<number> {
    const { namespace } = call;
    this.#usage.waits(namespace);
    try {
      const request = await this.#lineOf(call).run(namespace, signal, () => this.#enter(call, signal));
      this.#usage.sent(namespace, this.#options.clock.now());
      return request;
    } finally {
      this.#usage.waitsNoLonger(namespace);
    }
  }

  /** Returns the line of the call. Keys have a slower budget and a line of their own, so that no other request waits behind them. */
  #lineOf(call: VaultCall): FairSlots {
    return isKeyRead(call) ? this.#keyTurns : this.#turns;
  }

  /** Waits for the budget at the head of the line: no other request of the line has reserved a turn. Returns the request's number. */
  async #enter(call: VaultCall, signal: AbortSignal): Promise<number> {
    const { clock } = this.#options;
    const { waitMs, request } = this.#admit(call, admit(this.#pressure, { now: clock.now(), isKey: isKeyRead(call) }));
    if (waitMs <= 0) return request;
    try {
      await clock.sleep(waitMs, signal);
    } catch (error) {
      this.#notAsked(call, request);
      throw error;
    }
    return this.#admit(call, admitNow(this.#pressure, request, clock.now())).request;
  }

  #admit(call: VaultCall, admission: Admission): Extract<Admission, { kind: "go" }> {
    if (admission.kind === "refused") throw this.#heldUp(call, admission);
    this.#pressure = admission.pressure;
    return admission;
  }

  #notAsked(call: VaultCall, request: number): void {
    this.#update(notAsked(this.#pressure, request, { now: this.#options.clock.now(), isKey: isKeyRead(call) }));
  }

  #heldUp(call: VaultCall, { why, afterMs }: { readonly why: "Throttled" | "Unreachable"; readonly afterMs: number }): VaultError {
    this.#options.metrics.held.inc({ reason: why });
    return this.#trouble(why, why === "Throttled" ? this.#afterPause(call, afterMs) : this.#later(afterMs));
  }

  #afterPause({ namespace }: VaultCall, afterMs: number): Retry {
    return this.#later(afterMs, this.#payers.has(namespace) ? SPREAD_MS : MODEST_SPREAD_MS);
  }

  /** Returns an error with the same words until the trouble is over, so that the worker does not rewrite statuses with them. */
  #trouble(why: "Throttled" | "Unreachable", retry: Retry): VaultError {
    const { words, serviceCode } = this.#causes[why];
    return new VaultError(why, `${this.#vaultUrl}: ${words}`, { retry, origin: "vault", words, serviceCode });
  }

  #failed(call: VaultCall, request: number, error: unknown): unknown {
    const now = this.#options.clock.now();
    if (!(error instanceof VaultError)) {
      this.#update(unreported(this.#pressure, request));
      return error;
    }
    if (error.origin !== "vault") return this.#unasked(call, request, error);
    const pauseMs = error.retry.kind === "after" ? error.retry.milliseconds : undefined;
    if (error.code === "Throttled") {
      this.#options.metrics.throttled.inc(this.#labels);
      this.#causes.Throttled = causeOf(error);
      this.#payers = this.#usage.most(now);
      const next = throttled(this.#pressure, now, pauseMs);
      this.#usage.pausesUntil(next.pausedUntil, now);
      this.#ended(call, "throttled", next);
      return this.#trouble("Throttled", this.#afterPause(call, next.pausedUntil - now));
    }
    if (!error.isAnswer) {
      if (this.#pressure.breaker.failures === 0) this.#causes.Unreachable = causeOf(error);
      this.#ended(call, "unreachable", unanswered(this.#pressure, { request, now, pauseMs }));
      return this.#trouble("Unreachable", error.retry);
    }
    this.#ended(call, "refused", answeredPressure(this.#pressure, now));
    return error;
  }

  /** Handles a request that did not reach the vault: returns its turn, and counts it neither as an answer nor as silence. */
  #unasked(call: VaultCall, request: number, error: VaultError): VaultError {
    this.#options.metrics.held.inc({ reason: "NotAsked" });
    this.#notAsked(call, request);
    const { code, origin, retry, words, serviceCode } = error;
    if (code !== "Unreachable") return error;
    const later = retry.kind === "after" ? this.#later(retry.milliseconds) : retry;
    return new VaultError(code, `${this.#vaultUrl}: ${words}`, { retry: later, origin, words, serviceCode });
  }

  #later(afterMs: number, spreadMs = SPREAD_MS): Retry {
    return { kind: "after", milliseconds: Math.ceil(afterMs + this.#options.random() * spreadMs - ROUNDING_MS) };
  }

  #ended({ kind, operation }: VaultCall, outcome: VaultOutcome, next: VaultPressure): void {
    this.#options.metrics.requests.inc({ kind, operation, outcome });
    this.#options.metrics.transactions.inc({ ...this.#labels, operation });
    this.#update(next);
  }

  #update(next: VaultPressure): void {
    this.#pressure = next;
    const labels = this.#labels;
    this.#options.metrics.isBreakerOpen.set(labels, isOpen(next.breaker) ? 1 : 0);
    this.#options.metrics.rate.set(labels, rateOf(next));
  }
}
