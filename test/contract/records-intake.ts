import { recordsAlertListsContract } from './records-alert-lists.ts'
import { recordsAlertsContract } from './records-alerts.ts'
import { recordsTellingsContract } from './records-tellings.ts'
import { recordsTroublesContract } from './records-troubles.ts'
import type { IntakeFixture } from './records-values.ts'

/** What the records must do about alerts, troubles and tellings, also where each statement is sent twice. */
export function recordsIntakeContract(fixture: IntakeFixture): void {
  recordsAlertsContract(fixture)
  recordsAlertListsContract(fixture)
  recordsTroublesContract(fixture)
  recordsTellingsContract(fixture)
}
