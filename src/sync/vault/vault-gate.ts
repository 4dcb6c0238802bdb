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
  untold,
  type VaultPressure,
} from "../../domain/schedule/vault-pressure.ts";
import { FairSlots } from "../../runtime/fair-slots.ts";
import type { VaultMetrics, VaultOperation, VaultOutcome } from "./vault-metrics.ts";

/** Those that were held up together come back over this time, not together (milliseconds). */
const SPREAD_MS = 30_000;
/** And the few requests of namespaces that asked for little over this. */
const MODEST_SPREAD_MS = 1_000;

/** Before and after it another replica asks the same vaults, which count both. */
export interface Leadership {
  /** Up to then another leader may have asked, by the clock's monotonic time. */
  readonly since: number;
  /** False where the lease was not renewed in time: another replica may lead. */
  readonly holdsLease: () => boolean;
}

export interface GateOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly metrics: VaultMetrics;
  /** Undefined: nobody asked before, and nobody will. */
  readonly leadership?: Leadership | undefined;
  /** Of a vault's budget, where other shards ask, too. Default: all of it. */
  readonly portion?: number | undefined;
}

/** What is asked of a vault, as far as its limits and our metrics tell it apart. */
export interface VaultCall {
  readonly kind: VaultObjectKind;
  readonly operation: VaultOperation;
  /** Of the class that asks: where requests wait for the vault's budget, namespaces take turns. */
  readonly namespace: string;
}

function isKeyRead({ kind, operation }: VaultCall): boolean {
  return kind === "key" && operation === "get";
}

/** What holds for whoever asks: not the object that was asked for, nor an error's stack. */
type Told = Pick<VaultError, "words" | "serviceCode">;

const NOTHING_TOLD: Told = { words: "", serviceCode: undefined };

function toldBy({ words, serviceCode }: VaultError): Told {
  return { words, serviceCode };
}

/** By which the difference of two times that are no whole milliseconds may come out longer than it is: 2001 for 2000 in whole ones. */
const HAIR_MS = 1e-6;

/** The way to one vault, for all identities: every request waits for its turn here, and tells how it ended. */
export class VaultGate {
  readonly #options: GateOptions;
  readonly #vaultUrl: string;
  readonly #turns = new FairSlots(1);
  readonly #keyTurns = new FairSlots(1);
  readonly #usage: VaultUsage;
  /** Namespaces that asked for most when the vault throttled last. */
  #payers: ReadonlySet<string> = new Set();
  #pressure: VaultPressure;
  /** What the vault's first failure since its last answer said, and its last 429. */
  readonly #told: Record<"Unreachable" | "Throttled", Told> = { Unreachable: NOTHING_TOLD, Throttled: NOTHING_TOLD };

  constructor(vaultUrl: string, options: GateOptions) {
    this.#options = options;
    this.#vaultUrl = vaultUrl;
    this.#usage = new VaultUsage(options.clock.now());
    this.#pressure = noPressure(options.leadership?.since, options.portion);
    this.#update(this.#pressure);
  }

  /** What metrics call the vault; asked anew each time, since its series end when no class names it any more. */
  get #labels(): { readonly vault: string } {
    return { vault: this.#options.metrics.vaults.labelOf(this.#vaultUrl) };
  }

  /** By how much polls of the namespace's classes are to be further apart: for what others ask the vault for, not at all. */
  stretchFor(namespace: string): number {
    return this.#payers.has(namespace) ? stretchOf(this.#pressure) : 1;
  }

  /** Throws as the call does; what the vault's trouble holds up is a {@link VaultError} too, with the time to come again. */
  async pass<T>(call: VaultCall, ask: () => Promise<T>, signal: AbortSignal, isRequest: (result: T) => boolean = () => true): Promise<T> {
    this.#usage.count(call.namespace, this.#options.clock.now());
    const request = await this.#lineOf(call).run(call.namespace, signal, () => this.#enter(call, signal));
    if (this.#options.leadership?.holdsLease() === false) {
      this.#notAsked(call, request);
      throw notLeading(`ask ${this.#vaultUrl}`);
    }
    try {
      const result = await ask();
      // The end of a list is known without a request.
      if (isRequest(result)) this.#ended(call, "ok", answeredPressure(this.#pressure, this.#options.clock.now()));
      else this.#notAsked(call, request);
      return result;
    } catch (error) {
      throw this.#failed(call, request, error);
    }
  }

  /** Keys have a slower budget, behind which nobody else waits. */
  #lineOf(call: VaultCall): FairSlots {
    return isKeyRead(call) ? this.#keyTurns : this.#turns;
  }

  /** Waits for the budget at the head of all lines: nobody else has a turn promised. Resolves with the request's number. */
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

  /** The same words for everybody and until it is over, whichever request met it: a status that says them is not written again. */
  #trouble(why: "Throttled" | "Unreachable", retry: Retry): VaultError {
    const { words, serviceCode } = this.#told[why];
    return new VaultError(why, `${this.#vaultUrl}: ${words}`, { retry, origin: "vault", words, serviceCode });
  }

  #failed(call: VaultCall, request: number, error: unknown): unknown {
    const now = this.#options.clock.now();
    if (!(error instanceof VaultError)) {
      this.#update(untold(this.#pressure, request));
      return error;
    }
    if (error.origin !== "vault") return this.#unasked(call, request, error);
    if (error.code === "Throttled") {
      this.#options.metrics.throttled.inc(this.#labels);
      this.#told.Throttled = toldBy(error);
      this.#payers = this.#usage.most(now);
      const next = throttled(this.#pressure, now, error.retry.kind === "after" ? error.retry.milliseconds : undefined);
      this.#ended(call, "throttled", next);
      return this.#trouble("Throttled", this.#afterPause(call, next.pausedUntil - now));
    }
    if (error.code === "Unreachable") {
      if (this.#pressure.breaker.failures === 0) this.#told.Unreachable = toldBy(error);
      this.#ended(call, "unreachable", unanswered(this.#pressure, request, now));
      return this.#trouble("Unreachable", error.retry);
    }
    this.#ended(call, "refused", answeredPressure(this.#pressure, now));
    return error;
  }

  /** It did not come to the vault, which has neither answered nor been silent, and whose turn is given back. */
  #unasked(call: VaultCall, request: number, error: VaultError): VaultError {
    this.#options.metrics.held.inc({ reason: "NotAsked" });
    this.#notAsked(call, request);
    const { code, origin, retry, words, serviceCode } = error;
    if (code !== "Unreachable") return error;
    const later = retry.kind === "after" ? this.#later(retry.milliseconds) : retry;
    return new VaultError(code, `${this.#vaultUrl}: ${words}`, { retry: later, origin, words, serviceCode });
  }

  #later(afterMs: number, spreadMs = SPREAD_MS): Retry {
    return { kind: "after", milliseconds: Math.ceil(afterMs + this.#options.random() * spreadMs - HAIR_MS) };
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

/** After so long a request counts half (milliseconds). */
const HALVING_MS = 30_000;

/** Who has asked one vault for how much lately. */
class VaultUsage {
  readonly #requests = new Map<string, number>();
  /** Unix milliseconds. */
  #halvedAt: number;

  constructor(now: number) {
    this.#halvedAt = now;
  }

  count(namespace: string, now: number): void {
    this.#halve(now);
    this.#requests.set(namespace, (this.#requests.get(namespace) ?? 0) + 1);
  }

  /** The fewest namespaces that together ask for half of all, and those that ask for as much as one of them. */
  most(now: number): ReadonlySet<string> {
    this.#halve(now);
    const total = [...this.#requests.values()].reduce((all, requests) => all + requests, 0);
    let sum = 0;
    const marginal = [...this.#requests.values()]
      .sort((a, b) => b - a)
      .find((requests) => {
        sum += requests;
        return sum >= total / 2;
      });
    return new Set([...this.#requests].flatMap(([namespace, requests]) => (requests >= (marginal ?? 0) ? [namespace] : [])));
  }

  #halve(now: number): void {
    const times = Math.floor((now - this.#halvedAt) / HALVING_MS);
    if (times === 0) return;
    this.#halvedAt += times * HALVING_MS;
    // A clock that was set back makes nothing of what was counted.
    if (times < 0) return;
    for (const [namespace, requests] of this.#requests) {
      const left = Math.floor(requests / 2 ** times);
      if (left === 0) this.#requests.delete(namespace);
      else this.#requests.set(namespace, left);
    }
  }
}
