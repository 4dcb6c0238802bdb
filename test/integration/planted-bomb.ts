// Node loads this module before the worker (`--import`). It ends the process when a certain value arrives from the vault, like a value that
// exhausts the memory.
const BOMB = "a value that ends the process";

class EncodeOrDie extends TextEncoder {
  override encode(text?: string): Uint8Array<ArrayBuffer> {
    if (text === BOMB) process.kill(process.pid, "SIGKILL");
    return super.encode(text);
  }
}

globalThis.TextEncoder = EncodeOrDie;
