import { note } from "../time/context.ts";
import type { Machine } from "../time/machine.ts";
import type { Random } from "../time/random.ts";
import type { Scheduled, Scheduler } from "../time/scheduler.ts";

/** One HTTP request as it leaves a machine. */
export interface Message {
  /** Undefined: somebody of the world outside. */
  readonly machine: Machine | undefined;
  /** Name and port, as in the Host header; in small letters. */
  readonly host: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Lines that come while a request lasts. */
export interface Lines {
  onLine(listener: (line: string) => void): void;
  onEnd(listener: () => void): void;
  close(): void;
}

export type Reply =
  | { readonly kind: "answer"; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly kind: "lines"; readonly lines: Lines };

/** Somebody who answers requests, at once. Undefined: nobody listens there. */
export type Party = (message: Message) => Reply | undefined;

/** How an exchange goes on its way. */
export type Fate =
  | { readonly kind: "passed"; readonly there: number; readonly back: number }
  /** The connection ends before the request has arrived. */
  | { readonly kind: "resetBefore"; readonly there: number }
  /** The request arrives and is carried out; the connection ends instead of an answer. */
  | { readonly kind: "resetAfter"; readonly there: number; readonly back: number }
  /** Half of the answer's body, then the end of the connection. */
  | { readonly kind: "cut"; readonly there: number; readonly back: number }
  /** Carried out, and never answered. */
  | { readonly kind: "unanswered"; readonly there: number }
  /** Never arrives, and nobody says so. */
  | { readonly kind: "lost" }
  /** Somebody on the way answers in the party's place. */
  | { readonly kind: "replaced"; readonly there: number; readonly reply: Extract<Reply, { kind: "answer" }> };

/** What becomes of a request at its sender. */
export interface Receiver {
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onError(error: Error): void;
}

export interface Sent {
  /** The sender has given up: nothing of the answer reaches it. What is under way arrives all the same. */
  abort(): void;
}

/** Decides how each exchange goes; undefined: as it goes where nothing is wrong. */
export type Weather = (message: Message) => Fate | undefined;

/** How a request ended for its sender. */
export interface Ended {
  readonly message: Message;
  /** Virtual milliseconds. */
  readonly sentAt: number;
  /** `givenUp`: by the sender, after it had waited. `silenced`: a stream from which nothing will come, and nobody says so. */
  readonly how: "answered" | "failed" | "givenUp" | "silenced";
  /** 0 where no answer began. */
  readonly status: number;
  /** Of an answer of one of the clouds; empty otherwise. */
  readonly body: string;
}

/** Median milliseconds one way. */
const USUAL_MS = 2;

/** The way between machines and parties. */
export class Fabric {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #parties: ((host: string) => Party | undefined)[] = [];
  readonly #open = new Set<Exchange>();
  weather: Weather = () => undefined;
  /** Told of every request whose sender learns how it ended, or gives it up; the end of a process is none. */
  onEnded: (ended: Ended) => void = () => undefined;
  /** Whether the bodies of a request's answer are kept for {@link onEnded}. */
  keepsBody: (message: Message) => boolean = () => false;
  exchanges = 0;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Who answers for hosts; the first that knows a host does. */
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

  /** Ends connections that last, such as watches: with an error, or without a word for ever. */
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
  /** Of the last part that was sent: none overtakes another. */
  #lastAt = 0;
  /** Parts that were sent and have not come, in their order: a machine that is busy has several of them come at one moment. */
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
    // A request that its sender gave up while it was on its way may have arrived or not: here it has.
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
    // Node hears of the end of a connection in a turn of its own, behind the bytes.
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

  /** At the sender, behind what was sent before. */
  #deliver(milliseconds: number, action: () => void): Scheduled {
    const { scheduler, message } = this.#options;
    // What comes at the same moment comes in any order, and bytes of one stream do not.
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
