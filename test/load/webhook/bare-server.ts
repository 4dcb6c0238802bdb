/** Baseline: node:https alone. Arguments: certificate file, key file, port. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { constantAnswer, type Review } from "./constant-answer.ts";

const [certFile = "", keyFile = "", port = "0"] = process.argv.slice(2);

createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: "TLSv1.3" }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    // Only the benchmark sends requests to this server.
    const review = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Review;
    const body = Buffer.from(JSON.stringify(constantAnswer(review.request.uid)));
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
}).listen(Number(port), "127.0.0.1");
