import cloudDescription from '../fixtures/jira/cloud-openapi.json'
import dataCenterDescription from '../fixtures/jira/data-center-openapi.json'
import { type OpenApi, type OpenApiValidator, openApiValidator } from './openapi-validator.ts'

const validators = new Map<string, OpenApiValidator>()

/**
 * What in a request to a Jira at this address, or in its answer, differs from Atlassian's published description. Of errors only the request is
 * compared: neither description knows all of them. One validator for all that ask, for schemas take a while to compile.
 */
export async function jiraComplaints(site: string, cloud: boolean, request: Request, response: Response): Promise<readonly string[]> {
  const { pathname } = new URL(site)
  const make = () => (cloud ? openApiValidator(cloudService()) : openApiValidator(dataCenterService(), `${pathname.replace(/\/$/, '')}/rest`))
  const validator = validators.get(site) ?? make()
  validators.set(site, validator)
  // Cloud describes a body of 204, which can have none.
  const hasAnswer = response.status < 400 && response.status !== 204
  return [...(await validator.request(request)), ...(hasAnswer ? await validator.answer(request, response) : [])]
}

/** The description of Cloud. A list in a query is a parameter given once for each value: given once, it is text to the validator. */
function cloudService(): OpenApi {
  const description = structuredClone(cloudDescription)
  const { parameters } = description.paths['/rest/api/3/issue/{issueIdOrKey}'].get
  Object.assign(parameters.find(({ name }) => name === 'fields') ?? {}, { schema: { type: 'string' } })
  return description as unknown as OpenApi
}

/** The description of Data Center, with what its generator left out or got wrong put right. */
function dataCenterService(): OpenApi {
  const description = structuredClone(dataCenterDescription)
  const { schemas } = description.components
  // Any value is called an object.
  Object.assign(schemas.IssueUpdateBean.properties.fields, { additionalProperties: true })
  Object.assign(schemas.IssueBean.properties.fields, { additionalProperties: true })
  // The value of a property is any JSON; the text that it is described as is how Jira keeps it.
  Object.assign(schemas.EntityPropertyBean.properties, { value: {} })
  // A page of issue types, not one of them.
  const types = description.paths['/api/2/issue/createmeta/{projectIdOrKey}/issuetypes'].get.responses['200'].content['application/json']
  Object.assign(types, { schema: { type: 'object', properties: { values: { type: 'array', items: types.schema } }, required: ['values'] } })
  // Named in the prose alone: `expand=transitions.fields`.
  const expand = { name: 'expand', in: 'query', schema: { type: 'string' } }
  Object.assign(description.paths['/api/2/issue/{issueIdOrKey}/transitions'].get, {
    parameters: [...description.paths['/api/2/issue/{issueIdOrKey}/transitions'].get.parameters, expand],
  })
  return description as unknown as OpenApi
}
