// A client in a separate process that sends the next request as soon as it has read a response, over one connection, like the transport of
// an API server. Arguments: a port, `tls` or `tcp`, the number of requests, and a request. Prints the number of responses by status, and
// whether the server closed the connection.
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

const [port = "0", transport = "tls", count = "0", request = ""] = process.argv.slice(2);
const place = { port: Number(port), host: "127.0.0.1" };
const isSecure = transport === "tls";
const socket = isSecure ? connectTls({ ...place, servername: "localhost", rejectUnauthorized: false }) : connectTcp(place);
const statuses: Record<string, number> = {};
let answered = 0;
/** Head of the response so far. Undefined once its body has begun. */
let head: string | undefined = "";
let left = 0;

function take(bytes: Buffer): void {
  if (head === undefined) left -= bytes.length;
  else takeHead(bytes);
  if (head !== undefined || left > 0) return;
  head = "";
  answered += 1;
  if (answered === Number(count)) socket.destroy();
  else socket.write(request);
}

function takeHead(bytes: Buffer): void {
  head = `${head}${bytes.toString("latin1")}`;
  const end = head.indexOf("\r\n\r\n");
  if (end === -1) return;
  const status = head.slice(9, 12);
  statuses[status] = (statuses[status] ?? 0) + 1;
  left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0) - (head.length - end - 4);
  head = undefined;
}

socket.setNoDelay(true);
socket.on("data", take).on("error", () => undefined);
socket.once(isSecure ? "secureConnect" : "connect", () => socket.write(request));
socket.once("close", () => console.log(JSON.stringify({ statuses, isCut: answered < Number(count) })));
