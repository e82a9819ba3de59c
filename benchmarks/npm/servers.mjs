// The same rows from GraphQL servers of the JavaScript world: `node servers.mjs yoga|mercurius rows.json` prints its port.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [kind, file] = process.argv.slice(2);
const days = JSON.parse(readFileSync(file));
for (const day of days) {
  day.date = new Date(`${day.date}T00:00:00Z`);
  day.slots = (day.slots ?? []).map((one) => ({ ...one, start: new Date(one.start), end: new Date(one.end) }));
  day.starts = (day.starts ?? []).map((one) => new Date(one));
}
const typeDefs = `
  scalar DateTime
  scalar Date
  type Slot { start: DateTime! end: DateTime! remaining: Int! }
  type SlotDay { date: Date! starts: [DateTime!]! slots: [Slot!]! }
  type SlotSearch { days: [SlotDay!]! }
  type Query { slots: SlotSearch! }
`;
const { GraphQLScalarType } = await import("graphql");
const resolvers = {
  DateTime: new GraphQLScalarType({ name: "DateTime", serialize: (one) => one.toISOString() }),
  Date: new GraphQLScalarType({ name: "Date", serialize: (one) => one.toISOString().slice(0, 10) }),
  Query: { slots: async () => ({ days }) },
};

if (kind === "yoga") {
  const { createSchema, createYoga } = await import("graphql-yoga");
  const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false, graphiql: false });
  const server = createServer(yoga).listen(0, "127.0.0.1", () => console.log(server.address().port));
} else {
  const { default: fastify } = await import("fastify");
  const { default: mercurius } = await import("mercurius");
  const app = fastify();
  app.register(mercurius, { schema: typeDefs, resolvers, jit: 1 });
  await app.listen({ port: 0, host: "127.0.0.1" });
  console.log(app.server.address().port);
}
