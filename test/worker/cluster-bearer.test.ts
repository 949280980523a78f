import { bearerContract } from '../contract/bearer.ts'

bearerContract()
