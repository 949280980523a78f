import { describe, expect, test } from 'vitest'
import { openApiValidator } from './openapi-validator.ts'

const description = {
  paths: {
    '/things/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
      get: {
        parameters: [{ $ref: '#/components/parameters/page' }],
        responses: { 200: { $ref: '#/components/responses/thing' } },
      },
      patch: {
        requestBody: { required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/thing' } } } },
        responses: { 204: { description: 'done' } },
      },
    },
    '/things/newest': { get: { responses: { 200: { content: { 'application/json': { schema: { type: 'string' } } } } } } },
  },
  components: {
    parameters: { page: { name: 'page', in: 'query', schema: { type: 'integer', maximum: 9 } } },
    responses: { thing: { content: { 'application/json': { schema: { $ref: '#/components/schemas/thing' } } } } },
    schemas: {
      thing: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', nullable: true }, parts: { type: 'array', items: { $ref: '#/components/schemas/thing' } } },
      },
    },
  },
}
const validator = openApiValidator(description, '/api')
const ask = (method: string, path: string, body?: string, type = 'application/json') =>
  new Request(`http://tracker.example${path}`, { method, ...(body === undefined ? {} : { body, headers: { 'content-type': type } }) })

describe('openApiValidator', () => {
  test.each([
    ask('GET', '/api/things/1?page=9'),
    ask('GET', '/api/things/newest'),
    ask('PATCH', '/api/things/1', '{"name":null,"parts":[{"name":"x"}]}'),
    ask('PATCH', '/api/things/1', '{"name":"x"}', 'application/json; charset=utf-8'),
  ])('accepts %o', async (request) => {
    expect(await validator.request(request)).toEqual([])
  })

  test.each<[Request, RegExp]>([
    [ask('GET', '/things/1'), /no such operation/],
    [ask('DELETE', '/api/things/1'), /no such operation/],
    [ask('GET', '/api/things/'), /no such operation/],
    [ask('GET', '/api/things/one'), /path: data\/id must be integer/],
    [ask('GET', '/api/things/1?page=10'), /query: data\/page must be <= 9/],
    [ask('GET', '/api/things/1?pages=1'), /query: data must NOT have additional properties/],
    [ask('PATCH', '/api/things/1'), /a body is missing/],
    [ask('PATCH', '/api/things/1', '{"name":"x"}', 'text/plain'), /a body of type "text\/plain" is not expected/],
    [ask('PATCH', '/api/things/1', '{}'), /body: data must have required property 'name'/],
    [ask('PATCH', '/api/things/1', '{"name":1}'), /body: .*must be string/],
    [ask('PATCH', '/api/things/1', '{"name":"x","nmae":"y"}'), /body: there is no "nmae"/],
    [ask('PATCH', '/api/things/1', '{"name":"x","parts":[{}]}'), /body: data\/parts\/0 must have required property 'name'/],
  ])('complains about %o', async (request, complaint) => {
    expect((await validator.request(request)).join('\n')).toMatch(complaint)
  })

  test.each<[Request, Response, RegExp | undefined]>([
    [ask('GET', '/api/things/1'), Response.json({ name: 'x' }), undefined],
    [ask('GET', '/api/things/1'), Response.json({ name: 7 }), /must be string/],
    [ask('GET', '/api/things/1'), Response.json({ name: 'x' }, { status: 201 }), /no such answer/],
    [ask('GET', '/api/things/1'), Response.json({}, { status: 503 }), undefined],
    [ask('PATCH', '/api/things/1', '{}'), new Response(null, { status: 204 }), undefined],
  ])('holds the answer to %o to the description', async (request, response, complaint) => {
    const complaints = (await validator.answer(request, response)).join('\n')
    if (complaint) expect(complaints).toMatch(complaint)
    else expect(complaints).toBe('')
  })
})
