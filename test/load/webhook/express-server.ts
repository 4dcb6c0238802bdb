/** Baseline: express with its own body parser. Arguments: certificate file, key file, port. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import express from "express";
import { constantAnswer, type Review } from "./constant-answer.ts";

const [certFile = "", keyFile = "", port = "0"] = process.argv.slice(2);
const app = express();
app.use(express.json({ limit: "7mb" }));
app.post("/mutate/pods", (request, response) => {
  // Only the benchmark sends requests to this server.
  const review = request.body as Review;
  response.json(constantAnswer(review.request.uid));
});

createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile), minVersion: "TLSv1.3" }, app).listen(Number(port), "127.0.0.1");
