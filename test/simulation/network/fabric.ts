import { note } from "../time/context.ts";
import type { Machine } from "../time/machine.ts";
import type { Random } from "../time/random.ts";
import type { Scheduled, Scheduler } from "../time/scheduler.ts";

/** One HTTP request as it leaves a machine. */
export interface Message {
  /** Undefined: the sender is in the outside world. */
  readonly machine: Machine | undefined;
  /** Name and port, as in the Host header, in lower case. */
  readonly host: string;
  readonly method: string;
  /** Including the query. */
  readonly path: string;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Lines of a response that arrive while the request lasts. */
export interface Lines {
  onLine(listener: (line: string) => void): void;
  onEnd(listener: () => void): void;
  close(): void;
}

export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly kind: "lines"; readonly lines: Lines };

/** Answers requests immediately. Returns undefined if nothing listens at the host. */
export type Party = (message: Message) => Reply | undefined;

/** The way in which an exchange travels. */
export type Fate =
  | { readonly kind: "passed"; readonly there: number; readonly back: number }
  /** The connection ends before the request has arrived. */
  | { readonly kind: "resetBefore"; readonly there: number }
  /** The request arrives and is carried out, but the connection ends instead of an answer. */
  | { readonly kind: "resetAfter"; readonly there: number; readonly back: number }
  /** Half of the answer's body arrives, then the connection ends. */
  | { readonly kind: "cut"; readonly there: number; readonly back: number }
  /** The request is carried out, and never answered. */
  | { readonly kind: "unanswered"; readonly there: number }
  /** The request never arrives, and the sender gets no error. */
  | { readonly kind: "lost" }
  /** A third party on the way answers instead of the party. */
  | { readonly kind: "replaced"; readonly there: number; readonly reply: Extract<Reply, { kind: "answer" }> };

/** Receives the answer to a request at its sender. */
export interface Receiver {
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
}

export interface Sent {
  /** Gives up the request: nothing of the answer reaches the sender. Parts on their way to the party still arrive. */
  abort(): void;
}

/** Decides how an exchange travels. Undefined: as usual. */
export type Weather = (message: Message) => Fate | undefined;

/** The end of a request for its sender. */
export interface Ended {
  readonly message: Message;
  /** Virtual milliseconds. */
  readonly sentAt: number;
  /** `givenUp`: the sender gave up after it had waited. `silenced`: nothing more comes on the stream, and the sender gets no error. */
  readonly how: "answered" | "failed" | "givenUp" | "silenced";
  /** 0 if no answer began. */
  readonly status: number;
  /** Body of the answer if {@link Fabric.keepsBody} selects the request; otherwise empty. */
  readonly body: string;
}

/** Average delay one way, in milliseconds. */
const USUAL_MS = 2;

/** The network between machines and parties. */
export class Fabric {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #parties: ((host: string) => Party | undefined)[] = [];
  readonly #open = new Set<Exchange>();
  weather: Weather = () => undefined;
  /** Called for every request whose sender learns how it ended, or gives it up. Not called if the sender's process ends. */
  onEnded: (ended: Ended) => void = () => undefined;
  /** Whether to keep the body of the answer for {@link onEnded}. */
  keepsBody: (message: Message) => boolean = () => false;
  exchanges = 0;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Adds a lookup of the party for a host. The first lookup that knows the host decides. */
  serve(partyOf: (host: string) => Party | undefined): void {
    this.#parties.push(partyOf);
  }

  usual(): Extract<Fate, { kind: "passed" }> {
    return { kind: "passed", there: this.#random.delay(USUAL_MS), back: this.#random.delay(USUAL_MS) };
  }

  send(message: Message, receiver: Receiver): Sent {
    this.exchanges += 1;
    note(`> ${message.method} ${message.host} ${message.path} ${JSON.stringify(message.headers)} ${message.body}`);
    const party = this.#parties.map((find) => find(message.host)).find((found) => found !== undefined);
    const exchange = new Exchange({
      scheduler: this.#scheduler,
      random: this.#random,
      message,
      receiver,
      keepsBody: this.keepsBody(message),
      onDone: () => this.#open.delete(exchange),
      onEnded: (ended) => this.onEnded(ended),
    });
    this.#open.add(exchange);
    exchange.run(party, this.weather(message) ?? this.usual());
    return exchange;
  }

  /** Ends long connections, such as watches: with an error, or by silence without an end. */
  cut(isMeant: (message: Message) => boolean, how: "reset" | "silence"): number {
    const meant = [...this.#open].filter((exchange) => exchange.isStreaming && isMeant(exchange.message));
    for (const exchange of meant) exchange.cut(how);
    return meant.length;
  }
}

interface ExchangeOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly message: Message;
  readonly receiver: Receiver;
  readonly keepsBody: boolean;
  readonly onDone: () => void;
  readonly onEnded: (ended: Ended) => void;
}

class Exchange implements Sent {
  readonly message: Message;
  readonly #options: ExchangeOptions;
  #isOver = false;
  #isSilent = false;
  #lines: Lines | undefined;
  /** Arrival time of the last part that was sent: no part overtakes another. */
  #lastAt = 0;
  /** Parts that were sent and have not arrived, in their order. On a busy machine, several of them can arrive at the same moment. */
  readonly #underWay: (() => void)[] = [];
  readonly #sentAt: number;
  #status = 0;
  #body = "";

  constructor(options: ExchangeOptions) {
    this.message = options.message;
    this.#options = options;
    this.#sentAt = options.scheduler.now;
  }

  get isStreaming(): boolean {
    return this.#lines !== undefined && !this.#isSilent;
  }

  run(party: Party | undefined, fate: Fate): void {
    if (fate.kind === "lost") return;
    if (fate.kind === "resetBefore") {
      this.#deliver(fate.there, () => this.#fail("ECONNRESET", "read ECONNRESET"));
      return;
    }
    this.#options.scheduler.schedule(fate.there, () => this.#arrive(party, fate));
  }

  abort(): void {
    this.#end("givenUp");
    this.#lines?.close();
  }

  cut(how: "reset" | "silence"): void {
    this.#lines?.close();
    if (how === "silence") {
      this.#isSilent = true;
      this.#tell("silenced");
    } else this.#deliver(0, () => this.#fail("ECONNRESET", "aborted"));
  }

  #arrive(party: Party | undefined, fate: Exclude<Fate, { kind: "lost" | "resetBefore" }>): void {
    // A request that its sender gave up on the way may or may not have arrived. Here, it has.
    const reply = fate.kind === "replaced" ? fate.reply : party?.(this.message);
    const back = "back" in fate ? fate.back : fate.there;
    if (reply === undefined) {
      this.#deliver(back, () => this.#fail("ECONNREFUSED", "connect ECONNREFUSED"));
      return;
    }
    if (fate.kind === "unanswered") {
      if (reply.kind === "lines") reply.lines.close();
      return;
    }
    if (fate.kind === "resetAfter") {
      if (reply.kind === "lines") reply.lines.close();
      this.#deliver(back, () => this.#fail("ECONNRESET", "socket hang up"));
      return;
    }
    if (reply.kind === "lines") this.#follow(reply.lines, back);
    else this.#answer(reply, { back, isCut: fate.kind === "cut" });
  }

  #answer({ status, headers, body }: Extract<Reply, { kind: "answer" }>, { back, isCut }: { back: number; isCut: boolean }): void {
    note(`< ${status} ${JSON.stringify(headers)} ${body}`);
    const bytes = Buffer.from(body, "utf8");
    const part = isCut ? bytes.subarray(0, Math.floor(bytes.byteLength / 2)) : bytes;
    this.#deliver(back, () => {
      const { receiver } = this.#options;
      this.#status = status;
      if (this.#options.keepsBody) this.#body = body;
      receiver.onHead(status, { "content-length": `${bytes.byteLength}`, ...headers });
      if (this.#isOver) return;
      if (part.byteLength > 0) receiver.onData(part);
      if (!isCut) this.#succeed();
    });
    // Node reports the end of a connection in a turn of its own, after the bytes.
    if (isCut) this.#deliver(back, () => this.#fail("ECONNRESET", "aborted"));
  }

  #follow(lines: Lines, back: number): void {
    if (this.#isOver) {
      lines.close();
      return;
    }
    this.#lines = lines;
    const { receiver, random } = this.#options;
    this.#deliver(back, () => {
      this.#status = 200;
      receiver.onHead(200, { "content-type": "application/json" });
    });
    lines.onLine((line) => {
      note(`< ${line}`);
      if (!this.#isSilent) this.#deliver(random.delay(USUAL_MS), () => receiver.onData(Buffer.from(`${line}\n`, "utf8")));
    });
    lines.onEnd(() => {
      if (!this.#isSilent) this.#deliver(random.delay(USUAL_MS), () => this.#succeed());
    });
  }

  /** Delivers a part to the sender, after all parts that were sent before. */
  #deliver(milliseconds: number, action: () => void): Scheduled {
    const { scheduler, message } = this.#options;
    // The scheduler runs simultaneous events in any order, but the bytes of a stream must stay in order.
    this.#lastAt = Math.max(this.#lastAt + 0.001, scheduler.now + milliseconds);
    this.#underWay.push(action);
    const arrive = (): void => {
      const next = this.#underWay.shift();
      if (!this.#isOver) next?.();
    };
    return scheduler.schedule(this.#lastAt - scheduler.now, arrive, { machine: message.machine });
  }

  #succeed(): void {
    this.#end("answered");
    this.#options.receiver.onEnd();
  }

  #fail(code: string, message: string): void {
    this.#end("failed");
    this.#lines?.close();
    this.#options.receiver.onError(Object.assign(new Error(message), { code }));
  }

  #end(how: Ended["how"]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onDone();
    this.#tell(how);
  }

  #tell(how: Ended["how"]): void {
    this.#options.onEnded({ message: this.message, sentAt: this.#sentAt, how, status: this.#status, body: this.#body });
  }
}
