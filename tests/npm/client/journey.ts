// What a front end in TypeScript does with the generated documents; run as `node journey.js URL OFFICE REASON`.
import { GraphQLClient } from "graphql-request";
import { AppointmentDocument, HoldSlotDocument, SearchSlotsDocument, type HoldSlotMutation } from "./rdv.js";

declare const process: { argv: string[] };
const [url, officeId, reasonId] = process.argv.slice(2) as [string, string, string];
const client = new GraphQLClient(url);

const found = await client.request(SearchSlotsDocument, {
  input: { officeId, reasonId, from: "2027-03-01", to: "2027-03-01" },
});
const starts: string[] = found.slots.days.flatMap((day) => day.starts);
const wish = { input: { officeId, reasonId, start: starts[0]! } };
const held = await client.request(HoldSlotDocument, wish);
const again = await client.request(HoldSlotDocument, wish);
const nobodys = await client.request(AppointmentDocument, { reference: "ABCD-EFGH" });
console.log(JSON.stringify({ starts, held: said(held), again: said(again), nobodys: nobodys.appointment }));

// Every member of the union has its case: without one of them `answer` would not be `never` at the end.
function said({ holdSlot: answer }: HoldSlotMutation): string {
  switch (answer.__typename) {
    case "Hold":
      return `${answer.reason.label} until ${answer.expiresAt}`;
    case "SlotTaken":
      return `${answer.code}, free: ${answer.alternatives.map((one) => one.start).join(" ")}`;
    case "InvalidInput":
      return `${answer.code}: ${answer.field}`;
    case "TooManyAppointments":
      return `${answer.code}: ${answer.limit}`;
    case "NotAllowed":
    case "NotFound":
    case "IdempotencyConflict":
      return answer.code;
    default:
      return answer satisfies never;
  }
}

// Wrong uses, which nobody runs: each line must be an error of types, or the compiler complains about the comment.
export async function wrong(): Promise<void> {
  // @ts-expect-error there is no such field
  found.slots.nothing;
  // @ts-expect-error only a hold has a token
  held.holdSlot.token;
  // @ts-expect-error the reason is missing
  await client.request(SearchSlotsDocument, { input: { officeId, from: "2027-03-01", to: "2027-03-01" } });
  // @ts-expect-error an appointment may be null
  nobodys.appointment.reference;
}
