// Runs all audits of GraphQL over HTTP against a server and prints their outcomes as JSON.
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
const outcomes = [];
for (const one of results) {
  outcomes.push({ id: one.id, name: one.name, status: one.status, reason: one.reason ?? null });
  if (one.response?.body && !one.response.bodyUsed) await one.response.body.cancel();
}
console.log(JSON.stringify(outcomes));
