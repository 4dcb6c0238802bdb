/** One request. Contains no query except the API version, no header and no body, so that it cannot contain anything secret. */
export interface RequestRecord {
  /** Number from 1, for `requests({ after })`. */
  readonly sequence: number;
  /** ISO 8601. */
  readonly time: string;
  readonly host: string;
  /** `CONNECT` for a rejected tunnel. For accepted tunnels, the log contains the requests inside them. */
  readonly method: string;
  readonly path: string;
  readonly apiVersion?: string;
  /** 0 if an injected fault left the request without an answer. */
  readonly status: number;
  /** Application id, only if the application is registered. */
  readonly identity?: string;
  /** Audience of the token that the request obtained. */
  readonly audience?: string;
}

/** The log drops the oldest records first. The tests need far fewer. */
const CAPACITY = 50_000;

export class RequestLog {
  readonly #records: RequestRecord[] = [];
  #sequence = 0;

  add(record: Omit<RequestRecord, "sequence" | "time">): void {
    this.#sequence += 1;
    this.#records.push({ sequence: this.#sequence, time: new Date().toISOString(), ...record });
    if (this.#records.length > CAPACITY) this.#records.shift();
  }

  /** Records newer than the sequence number `after`. */
  list(after = 0): readonly RequestRecord[] {
    return this.#records.filter((record) => record.sequence > after);
  }
}
