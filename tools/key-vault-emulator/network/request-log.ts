/** One request as it arrived. Holds no query but the API version, no header, no body: nothing secret can be in it. */
export interface RequestRecord {
  /** Counts from 1; `requests({ after })` takes it. */
  readonly sequence: number;
  /** ISO 8601. */
  readonly time: string;
  readonly host: string;
  /** `CONNECT` for a refused tunnel; accepted tunnels are seen by the requests inside them. */
  readonly method: string;
  readonly path: string;
  readonly apiVersion?: string;
  /** 0 when an injected fault left the request without an answer. */
  readonly status: number;
  /** Application id, only of a registered application. */
  readonly identity?: string;
  /** Of a token that was issued: who will take it. */
  readonly audience?: string;
}

/** The oldest records go first; a test run stays far below. */
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
