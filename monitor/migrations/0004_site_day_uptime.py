from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitor', '0003_outage_notes'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='siteday',
            index=models.Index(fields=['site', 'day', 'up', 'down', 'inconclusive', 'expected'], name='site_day_uptime'),
        ),
    ]
